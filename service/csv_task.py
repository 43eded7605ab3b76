"""Two CSV files to one prediction: the columns of the query are matched to those of the context by name."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TextIO

import numpy as np

from service.errors import InvalidInput, Problem
from service.predictor import Context
from service.shapes import Array
from service.table import Table


@dataclass(frozen=True)
class CsvTask:
    """What to learn from, and what to answer."""

    context: Context
    query: Array

    @classmethod
    def read(cls, context: Path, query: Path, target: str, weight: str | None = None) -> Self:
        """Read both files. Every column of the context but the target and the weight is a feature.

        Args:
            context: CSV file of the observations.
            query: CSV file with the same features, in any order; a target or a weight in it is not read.
            target: Name of the column to predict.
            weight: Name of the column that says how much each observation counts.

        Raises:
            InvalidInput: A file, a column or a cell does not fit; each is named.
        """
        observed, asked = Table.read(context), Table.read(query)
        if target == weight:
            raise InvalidInput(Problem("", f"The target and the weight are both {target!r}. Name two columns."))
        apart = [target] if weight is None else [target, weight]
        features = [name for name in observed.columns if name not in apart]
        if not features:
            raise InvalidInput(
                Problem(str(context), f"has no column beside {', '.join(map(repr, apart))} to learn from.")
            )
        unknown = [name for name in asked.columns if name not in {*features, *apart}]
        if unknown:
            message = f"has columns that {context} has not: {', '.join(map(repr, unknown))}. Leave them out."
            raise InvalidInput(Problem(str(query), message))
        cells = observed.numbers([*features, *apart])
        x, y, *weights = np.split(cells, range(len(features), cells.shape[1]), axis=1)
        counts = weights[0][:, 0] if weights else None
        return cls(Context(x, y[:, 0], counts), asked.numbers(features))


def write_predictions(target: str, predictions: Iterable[float], file: TextIO) -> None:
    """Write one column of numbers in full precision, under the name of the target."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([target])
    writer.writerows([value] for value in predictions)
