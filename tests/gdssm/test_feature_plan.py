"""How many features there are of D columns, which, and what share of the prior each block has."""

import subprocess
import sys

import numpy as np
import pytest

from gdssm.feature_plan import INDICATOR_SHARE, LEVEL_SHARE, LINEAR, NONLINEAR, FeaturePlan
from gdssm.prior import INDICATORS, LEVELS, NUMBERS
from tests.closeness import assert_close
from tests.nonempty import nonempty
from tests.running import ROOT

SIZES = {
    1: (5 + 12 + 24, 0),
    4: (4 * (5 + 12), 6),
    5: (5 * 5, 10),
    10: (10 * 5, 45),
    13: (13 * 5, 78),
    14: (14 * 5, 0),
    30: (30 * 3, 0),
    64: (64 * 2, 0),
    65: (0, 0),
}
"""By D: how many additive features and how many products."""
sizes = pytest.mark.parametrize(("columns", "additive", "pairs"), [(d, *counts) for d, counts in SIZES.items()])
missing = pytest.mark.parametrize("with_indicators", [False, True])


@sizes
@missing
def test_there_are_as_many_features_as_columns_allow(
    columns: int, additive: int, pairs: int, *, with_indicators: bool
) -> None:
    indicators = columns if with_indicators else 0
    tables = NONLINEAR.tables(columns, indicators)
    assert tables["additive"].shape == (additive, 3)
    assert tables["pairs"].shape == (pairs, 2)
    assert tables["block"].shape == (columns + indicators + additive + pairs,)
    assert len(tables) == 3 + NONLINEAR.groups


def test_a_state_stays_small_however_many_columns_there_are() -> None:
    """Never more than 200 features, until there are as many columns."""
    for columns in range(1, 300):
        features = len(NONLINEAR.tables(columns, 0)["block"])
        assert columns <= features <= max(200, columns), columns


@sizes
def test_every_feature_is_of_columns_that_there_are(columns: int, additive: int, pairs: int) -> None:
    tables = NONLINEAR.tables(columns, 0)
    column, sharpness, place = tables["additive"].T
    assert set(column) == (set(range(columns)) if additive else set())
    assert (sharpness > 0).all()
    assert (np.abs(place) < 2.5).all()
    first, second = tables["pairs"].T
    assert (first < second).all()
    assert set(first) | set(second) <= set(range(columns))
    assert len({tuple(pair) for pair in tables["pairs"]}) == pairs
    assert len({tuple(row) for row in tables["additive"]}) == additive


@sizes
@missing
def test_blocks_follow_one_another(columns: int, additive: int, pairs: int, *, with_indicators: bool) -> None:
    indicators = columns if with_indicators else 0
    block = NONLINEAR.tables(columns, indicators)["block"]
    assert (np.diff(block) >= 0).all()
    assert (block == NUMBERS).sum() == columns
    assert (block == INDICATORS).sum() == indicators
    assert (block > LEVELS).sum() == additive + pairs
    if pairs:
        assert (block == block[-1]).sum() == pairs


def shares_by_block(
    plan: FeaturePlan, columns: int, indicators: int, levels: tuple[int, ...] = ()
) -> list[dict[float, float]]:
    """Give the share of each block for each group, as far as its table goes."""
    tables = plan.tables(columns, indicators, levels)
    found = []
    for group in nonempty(range(plan.groups)):
        share = tables[f"group.{group}"]
        pairs = set(zip(tables["block"][: len(share)].tolist(), share.tolist(), strict=True))
        assert len(pairs) == len(dict(pairs)), "a block has one share"
        found.append(dict(pairs))
    return found


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        # Blocks 3, 4 …: additive features by their knots, then the products.
        (1, [{0: 1}, {0: 0.4, 3: 0.6}, {0: 0.3, 3: 0, 4: 0.7}, {0: 0.1, 3: 0, 4: 0, 5: 0.9}]),
        (4, [{0: 1}, {0: 0.4, 3: 0.6}, {0: 0.3, 3: 0.4, 4: 0, 5: 0.3}, {0: 0.2, 3: 0, 4: 0.6, 5: 0.2}]),
        (10, [{0: 1}, {0: 0.4, 3: 0.6}, {0: 0.3, 3: 0.4, 4: 0.3}, {0: 0}]),
        (13, [{0: 1}, {0: 0.4, 3: 0.6}, {0: 0.3, 3: 0.4, 4: 0.3}, {0: 0}]),
        (30, [{0: 1}, {0: 0.4, 3: 0.6}, {0: 0}, {0: 0}]),
        (64, [{0: 1}, {0: 0.4, 3: 0.6}, {0: 0}, {0: 0}]),
        (65, [{0: 1}, {0: 0}, {0: 0}, {0: 0}]),
    ],
)
@missing
def test_groups_share_the_prior_between_blocks(
    columns: int, expected: list[dict[float, float]], *, with_indicators: bool
) -> None:
    found = shares_by_block(NONLINEAR, columns, columns if with_indicators else 0)
    if with_indicators:
        expected = [{**shares, INDICATORS: INDICATOR_SHARE} if any(shares.values()) else shares for shares in expected]
    assert found == expected
    for shares in found:
        own = sum(share for block, share in shares.items() if block != INDICATORS)
        assert round(own, 9) in {0.0, 1.0}


def test_a_group_ends_with_its_last_feature() -> None:
    tables = NONLINEAR.tables(10, 10)
    assert [len(tables[f"group.{group}"]) for group in range(4)] == [20, 20 + 50, 20 + 50 + 45, 1]


@pytest.mark.parametrize("columns", [1, 7, 300])
@missing
def test_the_linear_plan_has_columns_and_indicators_alone(columns: int, *, with_indicators: bool) -> None:
    indicators = columns if with_indicators else 0
    tables = LINEAR.tables(columns, indicators)
    assert not LINEAR.makes_features
    assert NONLINEAR.makes_features
    assert len(tables["additive"]) == len(tables["pairs"]) == 0
    expected = np.repeat([1.0, INDICATOR_SHARE], [columns, indicators])
    assert_close(tables["group.0"], expected, "group.0")


def test_columns_have_the_same_knots() -> None:
    additive = NONLINEAR.tables(3, 0)["additive"]
    by_column = [additive[additive[:, 0] == column, 1:] for column in range(3)]
    for rows in by_column:
        assert_close(rows, by_column[0], "knots")
        assert_close(np.sort(rows[:, 1]), np.sort(-rows[:, 1]), "knots on either side of the mean")


MIXED = 7, (1, 2, 5)
"""Seven columns, of which three are levels: the numbers are columns 0, 3, 4 and 6."""


@pytest.mark.parametrize("plan", [LINEAR, NONLINEAR], ids=["linear", "nonlinear"])
@missing
def test_levels_have_no_features_and_leave_those_of_the_numbers_as_they_are(
    plan: FeaturePlan, *, with_indicators: bool
) -> None:
    columns, levels = MIXED
    numbers = np.setdiff1d(np.arange(float(columns)), levels)
    tables = plan.tables(columns, columns if with_indicators else 0, levels)
    alone = plan.tables(len(numbers), 0)
    assert_close(tables["additive"][:, 1:], alone["additive"][:, 1:], "sharpness and knot")
    assert_close(tables["additive"][:, 0], numbers[alone["additive"][:, 0].astype(int)], "columns of steps")
    assert_close(tables["pairs"], numbers[alone["pairs"].astype(int)], "columns of products")
    assert plan.sizes(len(numbers)) == {"A": len(alone["additive"]), "P": len(alone["pairs"])}
    assert np.flatnonzero(tables["block"] == LEVELS).tolist() == list(levels)
    assert np.flatnonzero(tables["block"] == NUMBERS).tolist() == numbers.tolist()
    assert (tables["block"] == INDICATORS).sum() == (columns if with_indicators else 0)


@pytest.mark.parametrize("plan", [LINEAR, NONLINEAR], ids=["linear", "nonlinear"])
@missing
def test_levels_have_a_share_of_their_own_and_the_rest_is_as_without(
    plan: FeaturePlan, *, with_indicators: bool
) -> None:
    columns, levels = MIXED
    found = shares_by_block(plan, columns, columns if with_indicators else 0, levels)
    for shares, alone in nonempty(zip(found, shares_by_block(plan, columns - len(levels), 0), strict=True)):
        if not any(alone.values()):
            assert shares == alone
            continue
        expected = {block: (1 - LEVEL_SHARE) * share for block, share in alone.items()} | {LEVELS: LEVEL_SHARE}
        assert shares == expected | ({INDICATORS: INDICATOR_SHARE} if with_indicators else {})


@pytest.mark.parametrize("plan", [LINEAR, NONLINEAR], ids=["linear", "nonlinear"])
def test_levels_alone_have_the_whole_prior_and_one_group(plan: FeaturePlan) -> None:
    tables = plan.tables(3, 0, (0, 1, 2))
    assert len(tables["additive"]) == len(tables["pairs"]) == 0
    assert plan.sizes(0) == {"A": 0, "P": 0}
    assert_close(tables["group.0"], np.ones(3), "group.0")
    assert not any(tables[f"group.{group}"].any() for group in range(1, plan.groups))


def test_it_needs_no_torch() -> None:
    code = "import sys, gdssm.feature_plan; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
