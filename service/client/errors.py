"""Everything that a call can end in beside an answer, as one tree.

ClientError
├── InvalidArgument    an address, a key or an array that cannot be used; nothing was sent; a ValueError too
├── Unreachable        no answer came: no connection, or none in time
└── Refused            the service answered that it will not; with its own words
    ├── InvalidInput   400, 413, 415, 422: something sent is not what it should be; a ValueError too
    ├── NotAllowed     401, 403: no key, or not one for this
    ├── NotFound       404, 405: no such model, context, evaluation or address; a LookupError too
    ├── Conflict       409, 412: it contradicts an earlier request, or the context has changed meanwhile
    ├── TooMany        429: too many requests, contexts or evaluations under this key
    └── Unavailable    408, 5xx: not now; `retry_after` says when, if it is known

The message of a refusal is the service's own.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx


class ClientError(Exception):
    """The root."""


class InvalidArgument(ClientError, ValueError):
    """An address, a key or an array that cannot be used; nothing was sent."""


class Unreachable(ClientError):
    """No answer came: no connection, or none in time."""


class Refused(ClientError):
    """The service answered that it will not.

    Attributes:
        status: Of HTTP.
        error_type: One fixed word for each kind of error, as `unknown_model`; empty if it was no service of this kind.
        detail: Every problem as `{"field", "message"}`, where there are fields to name.
        retry_after: Seconds after which the same may do better, if the service says.
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
        """Let it cross to another process whole, as from a worker of joblib."""
        return type(self), (str(self), self.status, self.error_type, self.detail, self.retry_after)


class InvalidInput(Refused, ValueError):
    """Something sent is not what it should be."""


class NotAllowed(Refused):
    """No key, or not one for this."""


class NotFound(Refused, LookupError):
    """No such model, context, evaluation or address."""


class Conflict(Refused):
    """It contradicts an earlier request, or the context has changed meanwhile."""


class TooMany(Refused):
    """Too many requests, contexts or evaluations under this key."""


class Unavailable(Refused):
    """Not now."""


KINDS: dict[int, type[Refused]] = {
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
"""By status; what is not here is `Unavailable` from 500 on, else `Refused`."""


def check(response: "httpx.Response") -> None:
    """See that an answer is not a refusal.

    Raises:
        Refused: It is, of the kind that its status says.
    """
    if response.is_success:
        return
    status, body = response.status_code, _body(response)
    kind = KINDS.get(status, Unavailable if status >= 500 else Refused)
    address = f"{response.url.copy_with(userinfo=b'')}"
    message = body.get("error") or f"{address} answered {status}, and not as a service of this kind does."
    wait = response.headers.get("retry-after", "")
    retry_after = float(wait) if wait.isdecimal() else None
    raise kind(message, status, body.get("error_type", ""), body.get("detail"), retry_after)


def _body(response: "httpx.Response") -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
