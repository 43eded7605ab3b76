"""Every setting, with its environment variable: `GDSSM_` and the name in capitals."""

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.errors import InvalidSettings

PREFIX = "GDSSM_"


class Settings(BaseSettings):
    """Frozen once made; unknown `GDSSM_` variables are refused, so that a misspelt one is noticed."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", use_attribute_docstrings=True, env_ignore_empty=True
    )

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(8000, ge=0, le=65535)
    """Port to listen on; 0 takes any free one."""
    zoo: Path = Path(__file__).parent / "zoo"
    """Directory of the model files."""
    default_model: str = "linear"
    """The model that answers when a request names none."""
    threads: int = Field(1, ge=1)
    """Threads that onnxruntime may use for one run."""
    max_columns: int = Field(1024, ge=2)
    """Most columns of x and y together; the memory of a prediction grows with their square."""
    max_predictions: int = Field(1_000_000, ge=1)
    """Most numbers in one answer: queries times columns of y."""
    max_body_bytes: int = Field(16 * 2**20, ge=1)
    """Largest request body."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """How much is logged."""

    @classmethod
    def from_environment(cls, **given: object) -> Self:
        """Read the environment; what is given explicitly wins.

        Raises:
            InvalidSettings: A variable is unknown or its value refused.
        """
        unknown = sorted(
            name
            for name in os.environ
            if name.startswith(PREFIX) and name[len(PREFIX) :].lower() not in cls.model_fields
        )
        if unknown:
            known = ", ".join(PREFIX + name.upper() for name in cls.model_fields)
            raise InvalidSettings(f"Unknown setting {', '.join(unknown)}. The settings are {known}.")
        try:
            return cls.model_validate({**cls().model_dump(), **given})
        except ValidationError as error:
            problem = error.errors()[0]
            raise InvalidSettings(f"{PREFIX}{str(problem['loc'][0]).upper()}: {problem['msg']}.") from error
