"""Every setting, with its environment variable: `GDSSM_` and the name in capitals."""

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.errors import InvalidSettings

ENV_PREFIX = "GDSSM_"
API_KEY_VARIABLE, URL_VARIABLE = "GDSSM_API_KEY", "GDSSM_URL"
"""The key and the service that clients and commands use; not settings of the service."""
ROOT_PATH_PATTERN = r"^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$"
"""Pattern of a prefix of paths."""
ORIGINS_PATTERN = r"^(\*|https?://[\w.:\[\]-]+( *, *https?://[\w.:\[\]-]+)*)?$"
"""Pattern of origins: scheme, host and port, without a path."""


class Settings(BaseSettings):
    """The settings; unknown `GDSSM_` variables are refused, so that misspelt ones are noticed."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, frozen=True, extra="forbid", env_ignore_empty=True, use_attribute_docstrings=True
    )

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(8000, ge=0, le=65535)
    """Port to listen on; 0 takes any free one."""
    zoo: Path = Path(__file__).parent / "zoo"
    """Directory of the model files that ship."""
    models: Path | None = None
    """Directory of further model files, watched: new files are served, replaced ones are reloaded."""
    default_model: str = "nonlinear"
    """The model that answers when a request names none."""
    database_url: str = Field("sqlite:///gdssm.db", repr=False)  # it may contain a password
    """Database of contexts and keys: a SQLite file, or postgresql://user:password@host/name for several replicas, which
    needs `gdssm[postgres]`."""
    database_connections: int = Field(10, ge=1)
    """Connections of one process to a PostgreSQL database, without one more for notices of changed contexts. A request
    waits at most 10 seconds for one, then it is refused with 503."""
    auth: Literal["auto", "on", "off"] = "auto"
    """Whether callers need a key: auto asks for one unless the service listens on loopback only."""
    allowed_hosts: str = Field("", pattern=r"^[\w.:*\[\], -]*$")
    """Names, with commas, by which callers may address the service (Host) and whose web pages may use it without a key,
    besides loopback names and the address that it listens on; * is any. Checked while keys are off, and where set."""
    cors_origins: str = Field("", pattern=ORIGINS_PATTERN)
    """Origins, with commas, such as https://app.example.org, whose web pages may call the service and read its
    responses, without a key too while keys are off; * is any, and needs keys."""
    root_path: str = Field("", pattern=ROOT_PATH_PATTERN)
    """Path below which a reverse proxy serves the service, such as /gdssm, whether or not requests keep it."""
    forwarded_prefix: bool = False
    """Whether the header X-Forwarded-Prefix sets that path; safe only where every request comes through a proxy."""
    workers: int = Field(1, ge=1)
    """Processes that answer requests."""
    threads: int = Field(1, ge=1)
    """Threads that onnxruntime may use for one run."""
    pool_threads: int = Field(4, ge=1)
    """Parallel long computations in one process, and as many parallel changes of the database."""
    max_in_flight: int = Field(64, ge=1)
    """Requests that one process works on or keeps waiting; one more is refused with 503 at once."""
    max_bytes_in_flight: int = Field(256 * 2**20, ge=1)
    """Bytes of request bodies and messages in one process at a time; beyond that a body is refused with 503."""
    max_share: float = Field(0.5, gt=0, le=1)
    """Share of a process's requests, bytes, WebSockets and threads for one key; at least one of each."""
    request_timeout: float = Field(30.0, gt=0)
    """Seconds for one request, including the upload of its body."""
    drain_seconds: float = Field(0.0, ge=0)
    """Seconds between SIGTERM, when the service stops being ready, and the refusal of new connections."""
    shutdown_timeout: int = Field(30, ge=1)
    """Seconds for requests in flight to finish after that."""
    rate_limit: int = Field(0, ge=0)
    """Requests a minute for one key in one process; 0 is no limit."""
    key_usage: bool = False
    """Whether requests are counted by key, for `gdssm keys usage` and, with the ids of keys, for /metrics."""
    max_columns: int = Field(1024, ge=2)
    """Columns of x and y together; the memory of a prediction grows with their square."""
    max_observations: int = Field(1_000_000, ge=1)
    """Observations in one request."""
    max_predictions: int = Field(1_000_000, ge=1)
    """Numbers in one answer: queries times columns of y, or the contributions to them."""
    max_body_bytes: int = Field(16 * 2**20, ge=1)
    """Bytes of one request body."""
    max_contexts: int = Field(100_000, ge=1)
    """Contexts of one key."""
    context_ttl: int = Field(30 * 86_400, ge=1)
    """Seconds that a context is kept after its last use, unless it has its own `ttl`."""
    max_evaluations: int = Field(10, ge=1)
    """Queued and running evaluations of one key."""
    evaluation_timeout: float = Field(600.0, gt=0)
    """Seconds for one evaluation."""
    poll_interval: float = Field(0.5, gt=0, le=60)
    """Seconds between two checks of the model directories and of the queue of evaluations, and between two updates of
    the metrics that other workers report; API keys are read again after four times as long."""
    inline_seconds: float = Field(0.001, ge=0)
    """Expected seconds of computation up to which a request is computed in the event loop; others use a thread."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity that is logged."""
    log_format: Literal["text", "json"] = "text"
    """Lines for people, or one JSON object a line for machines."""

    @property
    def directories(self) -> list[Path]:
        """The directories of model files."""
        return [self.zoo] if self.models is None else [self.zoo, self.models]

    @classmethod
    def from_environment(cls, **overrides: object) -> Self:
        """Read the environment; arguments have priority.

        Raises:
            InvalidSettings: A variable is unknown, or its value is refused.
        """
        unknown = sorted(
            name
            for name in os.environ
            if name.startswith(ENV_PREFIX)
            and name not in {API_KEY_VARIABLE, URL_VARIABLE}
            and name[len(ENV_PREFIX) :].lower() not in cls.model_fields
        )
        if unknown:
            known = ", ".join(ENV_PREFIX + name.upper() for name in cls.model_fields)
            raise InvalidSettings(f"Unknown setting {', '.join(unknown)}. The settings are {known}.")
        try:
            return cls.model_validate({**cls().model_dump(), **overrides})
        except ValidationError as error:
            problem = error.errors()[0]
            raise InvalidSettings(f"{ENV_PREFIX}{str(problem['loc'][0]).upper()}: {problem['msg']}.") from error
