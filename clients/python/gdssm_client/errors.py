"""The exceptions of the client.

ClientError
├── InvalidArgument    an invalid URL, key or array; nothing was sent; a ValueError too
├── Unreachable        no response: no connection, a timeout, or the deadline
├── Unfinished         work on the service has not ended in time; a TimeoutError too
├── UnexpectedAnswer   a response that this version of the client cannot read
└── Refused            an error response, with the message of the service
    ├── InvalidInput   400, 413, 415, 422: an invalid value; a ValueError too
    ├── NotAllowed     401, 403: no valid key, or without the permission
    ├── NotFound       404, 405: an unknown model, context, evaluation or path; a LookupError too
    ├── Conflict       409, 412: a contradiction to an earlier request, or another version of the context
    ├── TooMany        429: too many requests, contexts or evaluations of this key
    └── Unavailable    408, 5xx: a temporary error; `retry_after` has the seconds, if known
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx


class ClientError(Exception):
    """Any exception of the client."""


class InvalidArgument(ClientError, ValueError):
    """An invalid URL, key or array; nothing was sent."""


class Unreachable(ClientError):
    """No response: no connection, a timeout, or the deadline."""


class Unfinished(ClientError, TimeoutError):
    """Work on the service has not ended in time; it goes on."""


class UnexpectedAnswer(ClientError):
    """A response that this version of the client cannot read."""


class Refused(ClientError):
    """An error response.

    Attributes:
        status: The HTTP status.
        error_type: The kind of error, such as `unknown_model`; empty if the response is not of this service.
        detail: Every problem as `{"field", "message"}`, if it is about fields.
        retry_after: Seconds to wait before a retry, if the service says so.
    """

    def __init__(
        self,
        message: str,
        status: int,
        error_type: str = "",
        detail: list[dict[str, str]] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type
        self.detail = detail
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[type["Refused"], tuple[Any, ...]]:
        """Pickle all attributes, as joblib does between processes."""
        return type(self), (str(self), self.status, self.error_type, self.detail, self.retry_after)


class InvalidInput(Refused, ValueError):
    """An invalid value."""


class NotAllowed(Refused):
    """No valid key, or one without the permission."""


class NotFound(Refused, LookupError):
    """An unknown model, context, evaluation or path."""


class Conflict(Refused):
    """A contradiction to an earlier request, or another version of the context."""


class TooMany(Refused):
    """Too many requests, contexts or evaluations of this key."""


class Unavailable(Refused):
    """A temporary error."""


BY_STATUS: dict[int, type[Refused]] = {
    400: InvalidInput,
    401: NotAllowed,
    403: NotAllowed,
    404: NotFound,
    405: NotFound,
    408: Unavailable,
    409: Conflict,
    412: Conflict,
    413: InvalidInput,
    415: InvalidInput,
    422: InvalidInput,
    429: TooMany,
}
"""Other statuses are `Unavailable` from 500 on, else `Refused`."""


def check(response: "httpx.Response") -> None:
    """Raise the exception of an error response.

    Raises:
        Refused: Of the class of its status.
    """
    if response.is_success:
        return
    status, body = response.status_code, _body(response)
    kind = BY_STATUS.get(status, Unavailable if status >= 500 else Refused)
    address = f"{response.url.copy_with(userinfo=b'')}"
    message = body.get("error") or f"{address} answered {status}, but is not a service of this kind."
    wait = response.headers.get("retry-after", "")
    retry_after = float(wait) if wait.isdecimal() else None
    raise kind(message, status, body.get("error_type", ""), body.get("detail"), retry_after)


def _body(response: "httpx.Response") -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
