"""The strongest pairs of columns, and the blocks of features with their probabilities."""

import numpy as np

from gdssm.feature_plan import Knots
from service.explaining.features import PRODUCT
from service.explaining.readout import Fit
from service.explaining.terms import Block, Pair
from service.inference.wide_readout import group_probabilities, varying

PAIRS_LIMIT = 10


def pairs(fit: Fit) -> tuple[Pair, ...]:
    """Find the strongest pairs, by their largest strength in standard deviations of an output."""
    product = fit.features.column == PRODUCT
    weight = fit.weight[product]
    strength = np.abs(weight) * np.sqrt(fit.second_moments.diagonal()[product].clip(min=0.0))[:, None]
    spread = np.sqrt(varying(fit.state)[: weight.shape[1]])
    size = np.divide(strength, spread, out=np.zeros_like(strength), where=spread > 0).max(1, initial=0.0)
    order = [int(i) for i in np.argsort(-size, kind="stable")[:PAIRS_LIMIT] if size[i] > 0]

    def one(i: int) -> Pair:
        first, second = fit.features.pairs[i].tolist()
        return Pair((first, second), strength[i].reshape(fit.shape), weight[i].reshape(fit.shape))

    return tuple(map(one, order))


def blocks(fit: Fit) -> tuple[Block, ...]:
    """Find the probability and the strength of each block of features."""
    block, groups = fit.layout
    probability = group_probabilities(fit.batch, fit.weight.shape[1], block, groups)[0]
    numbers, names = np.unique(block), _names(fit)
    of_block = (block == numbers[:, None]).astype(float)
    used = np.array([[share[block[: len(share)] == number].any() for share in groups] for number in numbers], float)
    strengths = fit.strengths(block, of_block)
    return tuple(
        Block(names[int(number)], own.reshape(fit.shape), strength)
        for number, own, strength in zip(numbers, used @ probability, strengths, strict=True)
    )


def _names(fit: Fit) -> list[str]:
    """Names of the blocks, by their number in the plan's tables."""
    band = fit.plan.band(len(fit.features.mean) - len(fit.levels))
    knots = [block for block in band.blocks if isinstance(block, Knots)]
    return ["linear", "indicators", "levels", *(f"additive_{len(block.places)}" for block in knots), "pairs"]
