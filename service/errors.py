"""Everything that can go wrong, as one tree; `api.errors` maps it to HTTP, `cli` to exit codes.

    ServiceError
    ├── CallerError                the caller can mend it
    │   ├── InvalidInput           a field does not hold what it should
    │   │   ├── NumericOverflow    the numbers are valid, but the answer is too large for floating point
    │   │   ├── PrecisionLoss      the numbers are valid, but sums would lose their significant digits
    │   │   └── UnsupportedByModel the model has no such thing
    │   ├── UnknownModel           no model of that name or version is served
    │   ├── UnknownContext         no context of that name belongs to the caller
    │   ├── UnknownEvaluation      no evaluation of that name belongs to the caller
    │   ├── MalformedBody          the body cannot be read at all
    │   ├── BodyTooLarge           the body is over the limit
    │   ├── UnsupportedContentType the body is of a kind that is not understood
    │   ├── TooSlow                the body did not arrive in time
    │   ├── Unauthenticated        no key, or one that is not valid
    │   ├── Forbidden              the key may not do this
    │   ├── ForeignSite            a web page of another site asks, or the service is not called so
    │   ├── Conflict               the request contradicts an earlier one
    │   ├── VersionMismatch        the context has changed since the caller looked
    │   ├── RateLimited            too many requests with one key
    │   └── QuotaExceeded          too much is kept or queued under one key
    └── OperatorError              whoever runs the service can mend it
        ├── NotReady               no model is loaded yet, or the service is stopping
        ├── Overloaded             more comes in than can be answered in time
        ├── DatabaseUnavailable    the database does not answer
        ├── BrokenArtifact         a model file is refused
        └── InvalidSettings        the configuration is refused

A message gives the rule, what came, and what to do next.
"""

from dataclasses import dataclass
from typing import ClassVar

MAX_REPORTED_PROBLEMS = 20
"""Of a thousand bad fields the first few are enough, and an answer stays small."""


class ServiceError(Exception):
    """The root: everything that this service raises on purpose."""

    error_type: ClassVar[str] = "service_error"
    retry_after: int | None = None
    """Seconds after which the same request may do better, if waiting helps."""

    @property
    def detail(self) -> list[dict[str, str]] | None:
        """What a machine can read beside the message, if anything."""
        return None


class CallerError(ServiceError):
    """The caller can mend it."""

    error_type = "caller_error"


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one field."""

    field: str
    """Where, as in `context.x[3][1]`; empty for the request as a whole."""
    message: str
    """The rule, what came, and what to do next."""


class InvalidInput(CallerError):
    """A field does not hold what it should; carries every problem found."""

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
    """The numbers are valid, but the answer is too large for floating point."""

    error_type = "numeric_overflow"


class PrecisionLoss(InvalidInput):
    """The numbers are valid, but the sums of a context would lose their significant digits."""

    error_type = "precision_loss"

    def __init__(self, *problems: Problem, digits: int) -> None:
        """Say how many digits would be left."""
        super().__init__(*problems)
        self.digits = digits


class UnsupportedByModel(InvalidInput):
    """The model has no such thing: no state, no merge, no implicit weights."""

    error_type = "unsupported_by_model"


class UnknownModel(CallerError):
    """No model of that name or version is served."""

    error_type = "unknown_model"

    def __init__(self, name: str, known: list[str], version: str | None = None) -> None:
        """Say what there is: names, or the versions of a model of that name if it is the version that is unknown."""
        what = f"model {name[:100]!r}" if version is None else f"version {version[:40]!r} of model {name!r}"
        super().__init__(f"There is no {what}. Choose one of: {', '.join(known) or 'none is loaded'}.")


class UnknownContext(CallerError):
    """No context of that name belongs to the caller."""

    error_type = "unknown_context"

    def __init__(self, context_id: str) -> None:
        super().__init__(
            f"There is no context {context_id[:60]!r}, or its time is over. Make one with POST /v1/contexts."
        )


class UnknownEvaluation(CallerError):
    """No evaluation of that name belongs to the caller."""

    error_type = "unknown_evaluation"

    def __init__(self, evaluation_id: str) -> None:
        super().__init__(f"There is no evaluation {evaluation_id[:60]!r}. Ask for one with POST /v1/evaluations.")


class MalformedBody(CallerError):
    """The body cannot be read at all."""

    error_type = "malformed_body"


class BodyTooLarge(CallerError):
    """The body is over the limit."""

    error_type = "body_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body may have at most {limit} bytes (GDSSM_MAX_BODY_BYTES). Send fewer observations.")


class UnsupportedContentType(CallerError):
    """The body is of a kind that is not understood."""

    error_type = "unsupported_content_type"


class TooSlow(CallerError):
    """The body did not arrive in time."""

    error_type = "too_slow"


class Unauthenticated(CallerError):
    """No key, or one that is not valid."""

    error_type = "unauthenticated"


class Forbidden(CallerError):
    """The key may not do this."""

    error_type = "forbidden"


class ForeignSite(CallerError):
    """A web page of another site asks, or the service may not be addressed by this Host."""

    error_type = "foreign_site"


class Conflict(CallerError):
    """The request contradicts an earlier one."""

    error_type = "conflict"


class VersionMismatch(CallerError):
    """The context has changed since the caller looked."""

    error_type = "version_mismatch"


class RateLimited(CallerError):
    """Too many requests with one key."""

    error_type = "rate_limited"

    def __init__(self, a_minute: int, retry_after: int) -> None:
        super().__init__(f"This key may make {a_minute} requests a minute. Try again in {retry_after} s.")
        self.retry_after = retry_after


class QuotaExceeded(CallerError):
    """Too much is kept or queued under one key."""

    error_type = "quota_exceeded"


class OperatorError(ServiceError):
    """Whoever runs the service can mend it."""

    error_type = "operator_error"


class NotReady(OperatorError):
    """No model is loaded yet, or the service is stopping."""

    error_type = "not_ready"
    retry_after = 1


class Overloaded(OperatorError):
    """More comes in than can be answered in time."""

    error_type = "overloaded"
    retry_after = 1


class DatabaseUnavailable(OperatorError):
    """The database does not answer."""

    error_type = "database_unavailable"
    retry_after = 1


class BrokenArtifact(OperatorError):
    """A model file is refused."""

    error_type = "broken_artifact"


class InvalidSettings(OperatorError):
    """The configuration is refused."""

    error_type = "invalid_settings"
