"""GET / and /web/…: the playground, the bundles of `service/web/dist` without external resources."""

import re
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response
from starlette.staticfiles import StaticFiles

from service.api.content_coding import accepted_coding

router = APIRouter(include_in_schema=False)

DIRECTORY = Path(__file__).parents[2] / "web" / "dist"
FILES = StaticFiles(directory=DIRECTORY, check_dir=False)
SUFFIXES = {"br": ".br", "gzip": ".gz"}
"""Each file is stored with these codings, the smallest first."""
HASHED = re.compile(r"-[A-Z0-9]{8}\.(js|css)$")
"""The name of a bundle has the hash of its content."""

PLAYGROUND_POLICY = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The page may load and run files of this origin only, and no inline scripts."""


@router.api_route("/", methods=["GET", "HEAD"])
async def page(request: Request) -> Response:
    """Show the playground."""
    return await file("index.html", request)


@router.api_route("/web/{path:path}", methods=["GET", "HEAD"])
async def file(path: str, request: Request) -> Response:
    """Send one file of the page, compressed if the browser accepts it, or 304 if the browser has it."""
    if path.endswith(tuple(SUFFIXES.values())):
        raise HTTPException(404)
    coding = accepted_coding(request, tuple(SUFFIXES))
    response = await FILES.get_response(path + SUFFIXES.get(coding or "", ""), request.scope)
    if coding is not None and response.status_code != 304:
        response.headers["Content-Encoding"] = coding
    response.headers["Vary"] = "Accept-Encoding"
    # Browsers revalidate files without a hash in their name by their ETag.
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if HASHED.search(path) else "no-cache"
    response.headers["Content-Security-Policy"] = PLAYGROUND_POLICY
    return response
