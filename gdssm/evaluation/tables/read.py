"""Read a table that ships."""

from functools import cache
from pathlib import Path

import numpy as np

from gdssm.evaluation.arrays import Array

FOLDER = Path(__file__).parent


@cache
def read(name: str) -> tuple[Array, Array]:
    """Read a table, every column in its standard deviations about its mean; not to be written to.

    Learners that know neither intercept nor units (ridge, descent from zero) can be compared on it.

    Args:
        name: As its file.

    Returns:
        x (R, D) and y (R, 1), the last column of the file.
    """
    numbers = np.loadtxt(FOLDER / f"{name}.csv", delimiter=",", skiprows=1)
    standard = (numbers - numbers.mean(axis=0)) / numbers.std(axis=0)
    standard.flags.writeable = False
    return standard[:, :-1], standard[:, -1:]
