"""Write the tables of this folder from those inside scikit-learn: `python -m gdssm.evaluation.tables.write`."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets

from gdssm.arrays import Array
from gdssm.evaluation.tasks.tables import DIRECTORY

DIGITS = 6
"""Significant digits of a number; the measurements have fewer."""


def tables() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every file: a header, and a row of numbers for each case, y last."""
    yield "diabetes", _text(datasets.load_diabetes(scaled=False), "disease progression")
    yield "iris", _text(datasets.load_iris(), "sepal width (cm)")
    yield "wine", _text(datasets.load_wine(), "proline")
    yield "breast-cancer", _text(datasets.load_breast_cancer(), "mean fractal dimension", lambda name: "mean " in name)


def _text(data: Any, target: str, keep: Callable[[str], bool] = lambda _: True) -> str:  # noqa: ANN401  (a Bunch)
    """Return the chosen columns as CSV; the target is one of them, or else that of scikit-learn."""
    columns: dict[str, Array] = dict(zip(data.feature_names, data.data.T, strict=True))
    y = columns.pop(target, data.target)
    columns = {name: column for name, column in columns.items() if keep(name)} | {target: y}
    rows = np.column_stack(list(columns.values())).tolist()
    lines = [",".join(columns), *(",".join(f"{number:.{DIGITS}g}" for number in row) for row in rows)]
    return "\n".join([*lines, ""])


def main(directory: Path = DIRECTORY) -> None:
    """Write the files."""
    for name, text in tables():
        (directory / f"{name}.csv").write_text(text)
        sys.stdout.write(f"{name}: {len(text) / 1e3:.0f} kB\n")


if __name__ == "__main__":
    main()
