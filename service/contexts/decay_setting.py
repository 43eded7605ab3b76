"""How a context forgets, as a setting; `decay` applies it."""

from typing import Final, Literal

AUTO: Final = "auto"
Auto = Literal["auto"]
Decay = float | Auto | None
"""The factor on the weight of every observation after one more; "auto" averages several; None forgets nothing."""
RULE = 'must be above 0 and at most 1, or "auto"'
