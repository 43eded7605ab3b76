"""GET / and /web/…: the playground, files of `service/web` that need nothing from elsewhere."""

from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.staticfiles import StaticFiles

router = APIRouter(include_in_schema=False)

FILES = StaticFiles(directory=Path(__file__).parents[2] / "web", check_dir=False)

POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""What the page may load and run: only what comes from here, nothing that stands inline."""


@router.api_route("/", methods=["GET", "HEAD"])
async def page(request: Request) -> Response:
    """Show the playground."""
    return await file("index.html", request)


@router.api_route("/web/{path:path}", methods=["GET", "HEAD"])
async def file(path: str, request: Request) -> Response:
    """Send one file of the page, or 304 if the browser has it already."""
    answer = await FILES.get_response(path, request.scope)
    # A vendored library has its version in its address; everything else is asked for again, by its ETag.
    kept = "public, max-age=31536000, immutable" if path.startswith("vendor/") else "no-cache"
    answer.headers["Cache-Control"] = kept
    answer.headers["Content-Security-Policy"] = POLICY
    return answer
