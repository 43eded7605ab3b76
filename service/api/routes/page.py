"""GET / and /web/…: the playground, static files of `service/web` without external resources."""

from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.staticfiles import StaticFiles

router = APIRouter(include_in_schema=False)

FILES = StaticFiles(directory=Path(__file__).parents[2] / "web", check_dir=False)

PLAYGROUND_POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The page may load and run files of this origin only, and no inline scripts."""


@router.api_route("/", methods=["GET", "HEAD"])
async def page(request: Request) -> Response:
    """Show the playground."""
    return await file("index.html", request)


@router.api_route("/web/{path:path}", methods=["GET", "HEAD"])
async def file(path: str, request: Request) -> Response:
    """Send one file of the page, or 304 if the browser has it."""
    response = await FILES.get_response(path, request.scope)
    # The address of a vendored library has its version; browsers revalidate all other files by their ETag.
    cache = "public, max-age=31536000, immutable" if path.startswith("vendor/") else "no-cache"
    response.headers["Cache-Control"] = cache
    response.headers["Content-Security-Policy"] = PLAYGROUND_POLICY
    return response
