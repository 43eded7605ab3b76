"""The parts of an experiment."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from gdssm.reproduce.claims import Verdict
    from gdssm.reproduce.experiment_context import ExperimentContext

Numbers = dict[str, Any]
"""Measured numbers as JSON: no infinity, no NaN, names as keys."""


@dataclass(frozen=True)
class ReportTable:
    """Formatted numbers."""

    title: str
    head: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Experiment:
    """One experiment of the report."""

    name: str
    """Key in report.json, and name of the figure."""
    title: str
    setup: str
    """The setup in one or two sentences."""
    measure: Callable[["ExperimentContext"], Numbers]
    draw: Callable[[Numbers], Figure]
    tables: Callable[[Numbers], list[ReportTable]]
    finding: Callable[[Numbers], str]
    """One sentence about the result, with its numbers."""
    claims: Callable[[Numbers], "list[Verdict]"] = lambda _numbers: []
    """The verdicts that follow from its numbers, where its module has the function `claims`."""

    @classmethod
    def of(cls, module: ModuleType) -> Self:
        """Return the experiment that a module defines."""
        name = module.__name__.rpartition(".")[2]
        parts = (module.measure, module.draw, module.tables, module.finding)
        claims = {"claims": module.claims} if hasattr(module, "claims") else {}
        return cls(name, module.TITLE, module.SETUP, *parts, **claims)
