"""The parts that every experiment has."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from gdssm.reproduce.experiment_context import ExperimentContext

Numbers = dict[str, Any]
"""What was measured, as JSON holds it: no infinity, no NaN, names as keys."""


@dataclass(frozen=True)
class Table:
    """Numbers as a reader wants them."""

    title: str
    head: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Experiment:
    """One question to the models."""

    name: str
    """In the file of numbers, and of the figure."""
    title: str
    setup: str
    """What was done, in a sentence or two."""
    measure: Callable[["ExperimentContext"], Numbers]
    draw: Callable[[Numbers], Figure]
    tables: Callable[[Numbers], list[Table]]
    finding: Callable[[Numbers], str]
    """One sentence that says what the numbers show, made of the numbers."""
