"""The exceptions of the client, for one release: they are in `gdssm_client.errors` now."""

import warnings

from gdssm_client.errors import (
    ClientError,
    Conflict,
    InvalidArgument,
    InvalidInput,
    NotAllowed,
    NotFound,
    Refused,
    TooMany,
    Unavailable,
    Unreachable,
)

__all__ = [
    "ClientError",
    "Conflict",
    "InvalidArgument",
    "InvalidInput",
    "NotAllowed",
    "NotFound",
    "Refused",
    "TooMany",
    "Unavailable",
    "Unreachable",
]

warnings.warn("service.client.errors is gdssm_client.errors now.", DeprecationWarning, stacklevel=2)
