"""Named lists of task distributions."""

from typing import TypeAlias

from gdssm.evaluation.tasks.linear import Correlated, Drift, HeavyTailed, Linear, Noisy, SparseLinear, Stretched
from gdssm.evaluation.tasks.nonlinear import Additive, Friedman, RandomNetwork, Sine
from gdssm.evaluation.tasks.tables import ShippedTable
from gdssm.evaluation.tasks.task import Task

Suite: TypeAlias = tuple[tuple[str, Task], ...]
"""Distributions by name, in the order in which a report shows them."""

PAPER: Suite = (
    ("linear", Linear()),
    ("linear-vector", Linear(outputs=10)),
    ("inputs-1.5x", Stretched(input_stretch=1.5)),
    ("inputs-2x", Stretched(input_stretch=2.0)),
    ("inputs-3x", Stretched(input_stretch=3.0)),
    ("weights-2x", Stretched(weight_stretch=2.0)),
    ("weights-3x", Stretched(weight_stretch=3.0)),
    ("sine", Sine()),
)
"""The tasks of the paper."""

PRACTICAL: Suite = (
    ("noisy", Noisy()),
    ("sparse", SparseLinear()),
    ("correlated-10", Correlated(condition_number=10.0)),
    ("correlated-100", Correlated(condition_number=100.0)),
    ("correlated-noisy", Noisy(Correlated(condition_number=1000.0))),
    ("heavy-tailed-noise", Noisy(degrees_of_freedom=3.0)),
    ("heavy-tailed-inputs", Noisy(HeavyTailed(degrees_of_freedom=3.0))),
    ("random-network", RandomNetwork()),
    ("additive", Noisy(Additive())),
    ("friedman", Noisy(Friedman(), noise=1.0)),
    ("drift", Drift()),
)
"""Noise, few relevant inputs, correlation, heavy tails, curvature, change."""

TABLES: Suite = tuple((name, ShippedTable(name)) for name in ("diabetes", "iris", "wine", "breast-cancer"))
"""Measurements, from the tables inside scikit-learn."""

SUITES: dict[str, Suite] = {"paper": PAPER, "practical": PRACTICAL, "tables": TABLES}


def suite(name: str) -> Suite:
    """Return a suite by its name; ValueError for an unknown name."""
    if name not in SUITES:
        raise ValueError(f"There is no suite {name!r}; choose one of {', '.join(SUITES)}.")
    return SUITES[name]
