"""405 with all that an address takes, where several routes share it: the framework names the methods of the first."""

from fastapi import APIRouter, HTTPException

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def register_method_not_allowed(router: APIRouter, path: str, *methods: str) -> None:
    """Refuse all other methods.

    Args:
        router: Where the routes of the address are.
        path: Of the address, below the router's.
        *methods: What it takes.
    """

    async def refuse() -> None:
        raise HTTPException(405, headers={"Allow": ", ".join(methods)})

    others = [method for method in METHODS if method not in methods]
    router.add_api_route(path, refuse, methods=others, include_in_schema=False)
