"""Requested changes as fields, by which a change that is sent again under its Idempotency-Key is recognised."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.contexts.records import UNCONDITIONAL, Change
from service.contexts.tables import TableRows
from service.inference.predictor import Observations


@dataclass(frozen=True)
class ObserveRequest:
    """Observations for one context."""

    owner: str
    context_id: str
    new: Observations | TableRows
    change: Change = UNCONDITIONAL
    allow_precision_loss: bool = False

    def fields(self) -> Mapping[str, object]:
        """Return everything that distinguishes it from other requests of its owner."""
        return {
            "observe": self.context_id,
            **fields_of(self.new),
            **allowed(self.allow_precision_loss),
            "if_version": self.change.if_version,
        }


def fields_of(observations: Observations | TableRows | None) -> dict[str, Any]:
    """Return the fields of observations; of rows of a table their hash."""
    if observations is None:
        return {}
    if isinstance(observations, TableRows):
        return {"table": observations.digest, "weight": observations.weight}
    names = {} if observations.columns is None else {"columns": observations.columns}
    levels = {"levels": observations.levels} if observations.levels else {}
    return {"x": observations.x, "y": observations.y, "weight": observations.weight, **names, **levels}


def allowed(allow_precision_loss: bool) -> dict[str, Any]:
    """Return the field for allowed precision loss; requests without it are as they were before there was one."""
    return {"allow_precision_loss": True} if allow_precision_loss else {}
