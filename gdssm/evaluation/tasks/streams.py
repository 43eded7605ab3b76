"""Random streams that do not disturb each other."""

import numpy as np


def split_stream(rng: np.random.Generator, count: int) -> list[np.random.Generator]:
    """Seed independent generators from one.

    A task draws inputs, weights and noise from a stream each, so that more queries or more noise leave the weights as
    they were. `rng` itself moves on by a fixed amount that its saved bit state covers (`Generator.spawn` counts in the
    seed sequence instead, which a checkpoint of the bit state would lose).

    Args:
        rng: the generator to take seeds from.
        count: how many generators.

    Returns:
        The generators, in an order that only `rng` decides.
    """
    seeds = rng.integers(0, 2**64, size=(count, 2), dtype=np.uint64)
    return [np.random.default_rng(seed.tolist()) for seed in seeds]
