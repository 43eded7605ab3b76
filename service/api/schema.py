"""What all bodies have in common."""

from pydantic import ConfigDict

from service.described import Described


class Schema(Described):
    """Refuses unknown fields; the text under a field is its description."""

    model_config = ConfigDict(extra="forbid")
