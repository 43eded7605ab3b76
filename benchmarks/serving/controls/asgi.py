"""The least that an ASGI application is: a body in, a body out."""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send


def application(answer: Callable[[bytes], bytes], content_type: bytes) -> ASGIApp:
    """Make an application of a function on bodies."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        chunks, more = [], True
        while more:
            message = await receive()
            chunks.append(message.get("body", b""))
            more = message.get("more_body", False)
        body = answer(b"".join(chunks))
        headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app
