"""The errors of the service, as one tree; `api.errors` maps them to HTTP, `cli` to exit codes.

    ServiceError
    ├── CallerError                the caller can fix it
    │   ├── InvalidInput           a field is not valid
    │   │   ├── NumericOverflow    the numbers are valid, but the result is too large for floating point
    │   │   ├── PrecisionLoss      the numbers are valid, but sums would lose their significant digits
    │   │   └── UnsupportedByModel the model does not support a feature
    │   ├── UnknownModel           no model of that name or version is served
    │   ├── UnknownContext         no context of that name belongs to the caller
    │   ├── UnknownEvaluation      no evaluation of that name belongs to the caller
    │   ├── MalformedBody          the body cannot be parsed
    │   ├── BodyTooLarge           the body is over the limit
    │   ├── UnsupportedContentType the body has an unsupported content type
    │   ├── TooSlow                the body did not arrive in time
    │   ├── Unauthenticated        the key is missing or not valid
    │   ├── Forbidden              the key does not permit this
    │   ├── ForeignSite            a web page of another site, or an unknown Host
    │   ├── Conflict               the request contradicts an earlier one
    │   │   └── NameTaken          the caller has a context of that name
    │   ├── VersionMismatch        the context is at another version
    │   ├── RateLimited            too many requests with one key
    │   └── QuotaExceeded          too much is stored or queued under one key
    └── OperatorError              the operator of the service can fix it
        ├── NotReady               no model is loaded, or the service is starting or stopping
        ├── Overloaded             more requests than the service can handle in time
        ├── DatabaseUnavailable    the database does not answer
        ├── WorkerLost             a process of a command ended before its work
        ├── SourceUnavailable      the log that is read does not answer
        ├── BrokenArtifact         a model file is refused
        └── InvalidSettings        the configuration is refused

A message states the rule, the value that was sent, and the remedy.
"""

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote

MAX_REPORTED_PROBLEMS = 20
"""Problems in one response; the first ones of many suffice, and keep the response small."""


class ServiceError(Exception):
    """The root of the errors that the service raises."""

    error_type: ClassVar[str] = "service_error"
    retry_after: int | None = None
    """Seconds after which a repeated request may succeed; None if it would not."""

    @property
    def detail(self) -> list[dict[str, str]] | None:
        """The machine-readable part of the error, if there is one."""
        return None

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle without the arguments of the constructor, which are not kept; other processes raise errors too."""
        return _unpickled, (type(self), self.args, self.__dict__)


def _unpickled(kind: type[ServiceError], args: tuple[object, ...], fields: dict[str, object]) -> ServiceError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(fields)
    return error


class CallerError(ServiceError):
    """The caller can fix it."""

    error_type = "caller_error"


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one field."""

    field: str
    """Its path, such as `context.x[3][1]`; empty for the request as a whole."""
    message: str
    """The rule, the value that was sent, and the remedy."""


class InvalidInput(CallerError):
    """A field is not valid; has every problem that was found."""

    error_type = "invalid_input"

    def __init__(self, *problems: Problem) -> None:
        texts = [f"{p.field}: {p.message}" if p.field else p.message for p in problems[:3]]
        more = [f"And {len(problems) - 3} more."] if len(problems) > 3 else []
        super().__init__(" ".join(texts + more))
        self.problems = problems

    @property
    def detail(self) -> list[dict[str, str]]:
        """The problems with their fields."""
        return [{"field": p.field, "message": p.message} for p in self.problems[:MAX_REPORTED_PROBLEMS]]


class NumericOverflow(InvalidInput):
    """The numbers are valid, but the result is too large for floating point."""

    error_type = "numeric_overflow"


class PrecisionLoss(InvalidInput):
    """The numbers are valid, but the sums of a context would lose their significant digits."""

    error_type = "precision_loss"

    def __init__(self, *problems: Problem, digits: int) -> None:
        """Create an error with the number of digits that would remain."""
        super().__init__(*problems)
        self.digits = digits


class UnsupportedByModel(InvalidInput):
    """The model does not support a feature, such as a state, merging or implicit weights."""

    error_type = "unsupported_by_model"


class UnknownModel(CallerError):
    """No model of that name or version is served."""

    error_type = "unknown_model"

    def __init__(self, name: str, known: list[str], version: str | None = None) -> None:
        """Create an error that lists the names of models, or the versions of this one if a version is unknown."""
        what = f"model {name[:100]!r}" if version is None else f"version {version[:40]!r} of model {name!r}"
        super().__init__(f"There is no {what}. Choose one of: {', '.join(known) or 'none is loaded'}.")


class UnknownContext(CallerError):
    """No context of that name belongs to the caller."""

    error_type = "unknown_context"

    def __init__(self, context_id: str, remedy: str = "Create one with POST /v1/contexts.") -> None:
        super().__init__(f"There is no context {context_id[:60]!r}, or it has expired. {remedy}")

    @classmethod
    def named(cls, name: str) -> "UnknownContext":
        """Make the error for an unknown name."""
        by_name = f"PUT /v1/contexts/by-name/{quote(name[:200], safe='', errors='replace')}"
        return cls(name, f"Create it with {by_name}, or with `create` in a batch of observations.")


class UnknownEvaluation(CallerError):
    """No evaluation of that name belongs to the caller."""

    error_type = "unknown_evaluation"

    def __init__(self, evaluation_id: str) -> None:
        super().__init__(f"There is no evaluation {evaluation_id[:60]!r}. Submit one with POST /v1/evaluations.")


class MalformedBody(CallerError):
    """The body cannot be parsed."""

    error_type = "malformed_body"


class BodyTooLarge(CallerError):
    """The body is over the limit."""

    error_type = "body_too_large"

    def __init__(self, limit: int, remedy: str = "Send fewer observations.") -> None:
        super().__init__(f"The body may have at most {limit} bytes (GDSSM_MAX_BODY_BYTES). {remedy}")


class UnsupportedContentType(CallerError):
    """The body has an unsupported content type."""

    error_type = "unsupported_content_type"


class TooSlow(CallerError):
    """The body did not arrive in time."""

    error_type = "too_slow"


class Unauthenticated(CallerError):
    """The key is missing or not valid."""

    error_type = "unauthenticated"


class Forbidden(CallerError):
    """The key does not permit this."""

    error_type = "forbidden"


class ForeignSite(CallerError):
    """The request is from a web page of another site, or has an unknown Host."""

    error_type = "foreign_site"


class Conflict(CallerError):
    """The request contradicts an earlier one."""

    error_type = "conflict"


class NameTaken(Conflict):
    """The caller has a context of that name."""

    error_type = "name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is a context named {name[:60]!r}. Choose another name, or create it or get it, whichever applies, "
            "with PUT /v1/contexts/by-name/{name}."
        )


class VersionMismatch(CallerError):
    """The context is at another version than that of If-Match."""

    error_type = "version_mismatch"


class RateLimited(CallerError):
    """Too many requests with one key."""

    error_type = "rate_limited"

    def __init__(self, a_minute: int, retry_after: int) -> None:
        super().__init__(f"This key may make {a_minute} requests a minute. Try again in {retry_after} s.")
        self.a_minute = a_minute
        self.retry_after: int = retry_after


class QuotaExceeded(CallerError):
    """Too much is stored or queued under one key."""

    error_type = "quota_exceeded"


class OperatorError(ServiceError):
    """The operator of the service can fix it."""

    error_type = "operator_error"


class NotReady(OperatorError):
    """No model is loaded, or the service is starting or stopping."""

    error_type = "not_ready"
    retry_after = 1


class Overloaded(OperatorError):
    """There are more requests than the service can handle in time."""

    error_type = "overloaded"
    retry_after = 1


class DatabaseUnavailable(OperatorError):
    """The database does not answer."""

    error_type = "database_unavailable"
    retry_after = 1


class WorkerLost(OperatorError):
    """A process of a command ended before its work."""

    error_type = "worker_lost"

    def __init__(self) -> None:
        super().__init__(
            "A worker process was killed, perhaps because memory ran out. Finished tasks are kept: run the command "
            "again to continue, with fewer --processes if memory is short."
        )


class SourceUnavailable(OperatorError):
    """The log that is read does not answer."""

    error_type = "source_unavailable"


class BrokenArtifact(OperatorError):
    """A model file is refused."""

    error_type = "broken_artifact"


class InvalidSettings(OperatorError):
    """The configuration is refused."""

    error_type = "invalid_settings"
