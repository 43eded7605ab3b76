"""Effects of columns, the strongest pairs of columns, and blocks of features, of a readout."""

from collections.abc import Sequence

import numpy as np

from gdssm.feature_plan import Knots
from service.errors import InvalidInput, Problem
from service.explaining.features import PRODUCT
from service.explaining.readout import Fit
from service.explaining.terms import Block, Effect, Effects, Pair
from service.inference.checks import Limits
from service.inference.predictor import Observations, weight_of
from service.inference.sizes import Array
from service.inference.student_t import quantile
from service.inference.wide_readout import effective_count, group_probabilities, varying, wide_readout

PAIRS_LIMIT = 10
VALUES_LIMIT = 33
"""Values of a column at which its effect is computed."""
GRID_DEVIATIONS = 2.5
"""Standard deviations on each side of the mean, for states, which do not store values."""


def effects(fit: Fit, grid: Sequence[Array], level: float | None) -> Effects:
    """Compute the effect of each column.

    Args:
        fit: The readout.
        grid: For each column, values (G,) at which to compute it.
        level: The probability of the interval of each effect, or None.
    """
    made = fit.features.of_queries(_rows(grid))
    of_column = (fit.features.column == np.arange(len(grid))[:, None]).astype(float)
    found = np.einsum("ge,ek,de->gdk", made, fit.weight, of_column, optimize=True)
    found = found.reshape(*found.shape[:2], *fit.shape)
    half = None if level is None else _half_width(fit, made, of_column, level).reshape(found.shape)
    strength = fit.strengths(fit.features.column, of_column)

    def one(j: int) -> Effect:
        size = len(grid[j])
        effect, missing = found[:size, j], found[-1, j] if fit.features.present.size else None
        if half is None:
            return Effect(grid[j], effect, strength[j], missing)
        return Effect(grid[j], effect, strength[j], missing, effect - half[:size, j], effect + half[:size, j])

    return Effects(fit.y_mean.reshape(fit.shape), tuple(map(one, range(len(grid)))))


def check_size(inputs: int, outputs: int, level: float | None, limits: Limits) -> None:
    """Check the number of effects.

    Raises:
        InvalidInput: There are too many.
    """
    count = inputs * outputs * VALUES_LIMIT * (1 if level is None else 3)
    if count > limits.max_predictions:
        text = (
            f"needs the effects of {inputs} columns on {outputs}, up to {count} numbers; an answer has at most "
            f"{limits.max_predictions} (GDSSM_MAX_PREDICTIONS). Leave effects out, or send fewer columns of y."
        )
        raise InvalidInput(Problem("explain", text))


def grid_of_observations(context: Observations) -> list[Array]:
    """Return the values of each column; if there are too many, equal steps from the smallest to the largest."""
    x = context.x[weight_of(context) != 0]
    found = [np.unique(column[~np.isnan(column)]) for column in x.T]
    return [
        values if len(values) <= VALUES_LIMIT else np.linspace(values[0], values[-1], VALUES_LIMIT) for values in found
    ]


def grid_of_state(fit: Fit) -> list[Array]:
    """Return values of each column around its mean; the mean alone where it does not vary."""
    mean, inputs, outputs = fit.features.mean, len(fit.features.mean), fit.weight.shape[1]
    there = fit.state["state.count"] * (fit.features.present if fit.features.present.size else np.ones(inputs))
    squared = varying(fit.state)[outputs : outputs + inputs]
    deviation = np.sqrt(np.divide(squared, there, out=np.zeros(inputs), where=there > 0))
    reach = min(GRID_DEVIATIONS, float(np.sqrt(max(effective_count(fit.state) - 1.0, 0.0)))) * deviation
    return [
        np.linspace(at - far, at + far, VALUES_LIMIT) if far > 0 else np.array([at])
        for at, far in zip(mean, reach, strict=True)
    ]


def _rows(grid: Sequence[Array]) -> Array:
    """Combine the values of all columns in rows, as an effect does not depend on other columns.

    Returns:
        (G + 1, D), with NaN where a column has fewer values, and in the last row.
    """
    rows = np.full((max(map(len, grid)) + 1, len(grid)), np.nan)
    for j, values in enumerate(grid):
        rows[: len(values), j] = values
    return rows


def effects_of_groups(fit: Fit, groups: Array, rows: Sequence[Array], level: float | None) -> tuple[Effect, ...]:
    """Compute the effects of groups of columns, such as the levels of a category.

    Args:
        fit: The readout.
        groups: The group of each column of x (D,), from 0.
        rows: For each group, rows (G, D) at which to compute it; its own columns count.
        level: The probability of the interval of each effect, or None.

    Returns:
        For each group its effect; `values` are the numbers of its rows.
    """
    own = np.append(groups, PRODUCT)[fit.features.column]
    of_group = (own == np.arange(len(rows))[:, None]).astype(float)
    strength = fit.strengths(own, of_group)
    covariances = None if level is None else _covariances(fit)
    factor = np.nan if level is None else _factor(fit, level)

    def one(number: int) -> Effect:
        made = fit.features.of_queries(rows[number]) * of_group[number]
        effect, values = (made @ fit.weight).reshape(-1, *fit.shape), np.arange(len(made), dtype=float)
        if covariances is None:
            return Effect(values, effect, strength[number])
        variance = np.stack([((made @ covariance) * made).sum(1) for covariance in covariances], -1)
        half = (factor * np.sqrt(variance.clip(min=0.0))).reshape(effect.shape)
        return Effect(values, effect, strength[number], None, effect - half, effect + half)

    return tuple(map(one, range(len(rows))))


def _half_width(fit: Fit, made: Array, of_column: Array, level: float) -> Array:
    """Half the width of the interval of each effect (G, D, K), by the t distribution of the readout's weights."""
    same = of_column.T @ of_column
    squares = [((made @ (same * own)) * made) @ of_column.T for own in _covariances(fit)]
    half: Array = _factor(fit, level) * np.sqrt(np.stack(squares, -1).clip(min=0.0))
    return half


def _covariances(fit: Fit) -> Array:
    """The covariance of the readout's weights for each output (K, E, E); NaN after a single observation."""
    if effective_count(fit.state) <= 1.0:
        size = len(fit.weight)
        return np.full((fit.weight.shape[1], size, size), np.nan)
    block, groups = fit.layout
    found = wide_readout(fit.batch, fit.weight.shape[1], block, groups, scale=True, response=False)
    covariances: Array = found["cached.covariance"][0]
    return covariances


def _factor(fit: Fit, level: float) -> float:
    """Standard deviations of the t distribution between its middle and the end of an interval."""
    freedom = effective_count(fit.state) - 1.0
    return -quantile(0.5 - 0.5 * level, freedom) if freedom > 0 else np.nan  # 0.5 + 0.5 * level may round to 1


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
    numbers, names = np.unique(block), _block_names(fit)
    of_block = (block == numbers[:, None]).astype(float)
    used = np.array([[share[block[: len(share)] == number].any() for share in groups] for number in numbers], float)
    strengths = fit.strengths(block, of_block)
    return tuple(
        Block(names[int(number)], own.reshape(fit.shape), strength)
        for number, own, strength in zip(numbers, used @ probability, strengths, strict=True)
    )


def _block_names(fit: Fit) -> list[str]:
    """Names of the blocks, by their number in the plan's tables."""
    band = fit.plan.band(len(fit.features.mean) - len(fit.levels))
    knots = [block for block in band.blocks if isinstance(block, Knots)]
    return ["linear", "indicators", "levels", *(f"additive_{len(block.places)}" for block in knots), "pairs"]
