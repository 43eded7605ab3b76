"""Cross-origin requests: pages of the origins in GDSSM_CORS_ORIGINS may call the service and read its responses.

Only assembled if there are such origins. It is outside of the checks of keys and limits: browsers send no key with a
preflight request, and a page must be able to read 401, 429 and 503. Credentials are never allowed: callers are
authenticated by a header that a page sets, not by cookies.
"""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from service.access.sites import ANY
from service.api.errors import answer_to
from service.errors import ForeignSite

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
EXPOSED_HEADERS = (
    "ETag",
    "Inference-Header-Content-Length",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Server-Timing",
    "X-Request-ID",
)
"""Headers of responses that a page may read, in addition to those that it always may."""
PREFLIGHT_SECONDS = 600
"""Seconds for which a browser may use the response to a preflight request again."""


class CrossOrigin(CORSMiddleware):
    """ASGI middleware.

    Args:
        app: The wrapped app.
        origins: Such as https://app.example.org; `*` is any.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=["*"],
            expose_headers=EXPOSED_HEADERS,
            max_age=PREFLIGHT_SECONDS,
            allow_private_network=ANY not in origins,  # a listed page may be public, and the service on localhost
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer a preflight request; one that is refused gets the error body of the service."""
        response = super().preflight_response(request_headers)
        if response.status_code == 200:
            return response
        origin, method = request_headers["origin"][:100], request_headers["access-control-request-method"][:20]
        return answer_to(
            ForeignSite(
                f"A web page of {origin!r} may not send {method!r} to this service. List its origin in "
                f"GDSSM_CORS_ORIGINS, and use one of {', '.join(METHODS)}."
            )
        )
