"""The strongest pairs, and the blocks of features in the evidence."""

import numpy as np
import pytest

from service.explaining.effects import PAIRS_LIMIT
from service.explaining.explanation import predict_and_explain
from service.explaining.terms import Block, Pair
from service.inference.predictor import Observations, Predictor
from service.inference.sizes import Array
from tests.closeness import assert_close

GENERATOR = np.random.default_rng(0)
N, D = 300, 6
X = GENERATOR.normal(size=(N, D)) * [1.0, 100.0, 1.0, 0.01, 1.0, 1.0] + 5.0
Z = (X - X.mean(0)) / X.std(0)
NOISE = 0.1 * GENERATOR.normal(size=N)


def explain(
    predictor: Predictor, x: Array, y: Array, model: str = "nonlinear"
) -> tuple[tuple[Pair, ...], dict[str, Block]]:
    query = np.nan_to_num(x[:1])
    found = predict_and_explain(predictor, model, Observations(x, y), query, explain=["pairs", "blocks"])[1]
    assert found.pairs is not None
    assert found.blocks is not None
    return found.pairs, {block.block: block for block in found.blocks}


def test_the_pair_of_a_product_is_the_strongest(predictor: Predictor) -> None:
    pairs, blocks = explain(predictor, X, Z[:, 0] - Z[:, 1] * Z[:, 3] + NOISE)
    first, second = pairs[:2]
    assert first.columns == (1, 3)
    assert first.weight < 0
    assert first.strength == pytest.approx((Z[:, 1] * Z[:, 3]).std(), rel=0.1)
    assert second.strength < 0.1 * first.strength
    assert len(pairs) == PAIRS_LIMIT
    assert [pair.strength for pair in pairs] == sorted((pair.strength for pair in pairs), reverse=True)
    assert blocks["pairs"].probability > 0.99
    assert blocks["pairs"].strength == pytest.approx(float(first.strength), rel=0.1)


def test_pairs_of_outputs_in_unlike_units_are_compared_by_their_spread(predictor: Predictor) -> None:
    y = np.stack([1e-6 * (Z[:, 0] * Z[:, 2] + NOISE), 1e6 * (5 * Z[:, 1] + Z[:, 4] * Z[:, 5] + NOISE)], 1)
    pairs, _ = explain(predictor, X, y)
    assert [pair.columns for pair in pairs[:2]] == [(0, 2), (4, 5)]
    assert pairs[0].strength.shape == (2,)


def test_block_probabilities_match_the_data(predictor: Predictor) -> None:
    _, line = explain(predictor, X, Z[:, 0] + 2 * Z[:, 1] + NOISE)
    _, curve = explain(predictor, X, np.sin(2 * Z[:, 0]) + np.abs(Z[:, 2]) + NOISE)
    assert list(line) == list(curve) == ["linear", "additive_5", "pairs"]
    assert line["additive_5"].probability < 0.1
    assert line["linear"].strength > 20 * line["additive_5"].strength
    assert curve["additive_5"].probability > 0.99
    assert curve["pairs"].probability < curve["additive_5"].probability
    assert curve["additive_5"].strength > curve["linear"].strength
    assert line["linear"].probability == pytest.approx(1.0)


def test_with_one_column_the_evidence_chooses_among_resolutions(predictor: Predictor) -> None:
    pairs, blocks = explain(predictor, Z[:, :1], np.sin(6 * Z[:, 0]) + NOISE)
    assert pairs == ()
    assert list(blocks) == ["linear", "additive_5", "additive_12", "additive_24"]
    additive = sum(float(blocks[f"additive_{knots}"].probability) for knots in (5, 12, 24))
    assert additive == pytest.approx(1.0)
    assert blocks["additive_24"].probability > 0.9


@pytest.mark.parametrize(("columns", "blocks"), [(64, ["linear", "additive_2"]), (70, ["linear"])])
def test_many_columns_have_no_pairs_and_beyond_the_limit_only_themselves(
    predictor: Predictor, columns: int, blocks: list[str]
) -> None:
    x = GENERATOR.normal(size=(100, columns))
    pairs, found = explain(predictor, x, x[:, 0] ** 2)
    assert pairs == ()
    assert list(found) == blocks


def test_indicators_are_a_block_where_cells_are_missing(predictor: Predictor) -> None:
    gone = GENERATOR.random(X.shape) < 0.2
    y = Z[:, 0] + 3 * gone[:, 1] + NOISE
    for model in ("linear", "nonlinear"):
        _, blocks = explain(predictor, np.where(gone, np.nan, X), y, model)
        assert blocks["indicators"].probability == pytest.approx(1.0)
        assert blocks["indicators"].strength == pytest.approx(3 * gone[:, 1].std(), rel=0.1)
        assert "indicators" not in explain(predictor, X, y, model)[1]


def test_strengths_are_in_units_of_y(predictor: Predictor) -> None:
    y = np.sin(2 * Z[:, 0]) + Z[:, 1] * Z[:, 2] + NOISE
    pairs, blocks = explain(predictor, X, y)
    far_pairs, far_blocks = explain(predictor, X, 1e3 * y - 7e4)
    assert_close(far_pairs[0].strength, 1e3 * pairs[0].strength, "pair", rtol=1e-6)
    for name, block in blocks.items():
        assert_close(far_blocks[name].strength, 1e3 * block.strength, name, rtol=1e-6)
        assert_close(1 + far_blocks[name].probability, 1 + block.probability, name, rtol=1e-6)
