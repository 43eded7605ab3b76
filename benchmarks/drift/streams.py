"""Streams that drift: linear relations that walk or jump, Friedman's function as river lets it drift, and polls.

The seeds are not those on which the factors of `gdssm.decay_average` were chosen (1000 to 1007, on linear relations
with noise of 0.1 and 0.5); TrumpApproval was among the tables then.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from river import datasets

Array = NDArray[np.float64]

D, ROWS, RUNS = 5, 800, 8
NOISE = 0.5
"""Standard deviation; a relation has coefficients of variance one, and columns too."""
WALKS = {"still": 0.0, "slow walk": 0.01, "fast walk": 0.1}
"""Standard deviation of the step of each coefficient from row to row."""
JUMPS = {"one jump": ROWS // 2, "a jump every 200": 200}
"""Rows between two relations that have nothing in common."""
FRIEDMAN = {"lea": (500, 1000, 1500), "gra": (700, 1400), "gsg": (700, 1400)}
"""river's kinds of drift (local, global recurring, global and slow), and the rows at which they are."""
FRIEDMAN_ROWS, FRIEDMAN_RUNS, TRANSITION = 2000, 2, 200


class Stream(NamedTuple):
    """S runs of one kind of drift."""

    name: str
    x: Array
    """(S, N, D)."""
    y: Array
    """(S, N)."""


def streams(runs: int = RUNS, rows: int = ROWS) -> Iterator[Stream]:
    """Draw them all."""
    for name, step in WALKS.items():
        yield _stacked(name, [linear(seed, rows, step) for seed in range(runs)])
    for name, every in JUMPS.items():
        yield _stacked(name, [linear(seed, rows, every=every) for seed in range(runs)])
    for kind in FRIEDMAN:
        yield _stacked(f"river FriedmanDrift {kind}", [friedman(kind, seed) for seed in range(FRIEDMAN_RUNS)])
    polls = datasets.TrumpApproval()  # type: ignore[no-untyped-call]
    yield _stacked("river TrumpApproval", [_of(polls.take)])


def linear(seed: int, rows: int, step: float = 0.0, every: int | None = None) -> tuple[Array, Array]:
    """Draw a linear relation whose coefficients walk by `step` a row, or are drawn again `every` so many rows."""
    generator = np.random.default_rng(seed)
    x, steps = generator.normal(size=(rows, D)), step * generator.normal(size=(rows, D))
    relation = generator.normal(size=D) + steps.cumsum(0)
    for start in range(every or rows, rows, every or rows):
        relation[start:] = generator.normal(size=D)
    return x, (x * relation).sum(1) + NOISE * generator.normal(size=rows)


def friedman(kind: str, seed: int) -> tuple[Array, Array]:
    """Draw river's drifting Friedman function of ten columns."""
    window = TRANSITION if kind == "gsg" else 0
    drifting = datasets.synth.FriedmanDrift(kind, FRIEDMAN[kind], transition_window=window, seed=seed)
    return _of(lambda _: drifting.take(FRIEDMAN_ROWS))


def _of(take: Callable[[int], Iterator[tuple[dict[object, float], float]]]) -> tuple[Array, Array]:
    rows = list(take(FRIEDMAN_ROWS))
    return np.array([list(x.values()) for x, _ in rows], float), np.array([y for _, y in rows], float)


def _stacked(name: str, runs: list[tuple[Array, Array]]) -> Stream:
    x, y = (np.stack(part) for part in zip(*runs, strict=True))
    return Stream(name, x, y)
