"""405 with all methods of an address that several routes share: FastAPI would list those of the first route only."""

from fastapi import APIRouter, HTTPException

ALL_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def register_method_not_allowed(router: APIRouter, path: str, *methods: str) -> None:
    """Add a route that refuses all other methods.

    Args:
        router: Has the routes of the address.
        path: Below the router's prefix.
        *methods: Allowed ones.
    """

    async def refuse() -> None:
        raise HTTPException(405, headers={"Allow": ", ".join(methods)})

    others = [method for method in ALL_METHODS if method not in methods]
    router.add_api_route(path, refuse, methods=others, include_in_schema=False)
