"""Effects, pairs and blocks through the Python client and the regressor."""

from typing import Any

import numpy as np
import pytest

from gdssm_client import Client
from gdssm_client.errors import InvalidInput
from gdssm_client.sklearn.regressor import GDSSMRegressor
from tests.closeness import assert_close
from tests.nonempty import nonempty
from tests.running import Server

N, D, K = 60, 4, 2
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(N, D))
Y = np.stack([np.abs(X[:, 0]), X[:, 1] * X[:, 3]], 1) + 0.1 * GENERATOR.normal(size=(N, K))
TERMS = ["effects", "pairs", "blocks"]


@pytest.mark.slow
@pytest.mark.parametrize("columns", [0, slice(None)], ids=["numbers", "rows"])
def test_explanation_has_typed_parts(columns: int | slice) -> None:
    y = Y[:, columns]
    rows = y.shape[1:]
    with Client() as client:
        answer = client.predict(X, y, X[:2], model="nonlinear", explain=True, interval=0.9)
        context = client.contexts.create("nonlinear")
        context.observe(X, y)
        of_context = context.predict(X[:2], explain=TERMS)
    why: Any = answer.explanation
    assert why.weights is None
    assert_close(why.contributions.sum(1), answer.prediction, "prediction", rtol=1e-9)
    assert_close(why.effects.base, y.mean(0), "base")
    for effect in nonempty(why.effects.columns):
        assert effect.lower.shape == effect.effect.shape == (33, *rows)
        assert effect.missing is None
    if rows:
        assert why.pairs[0].columns == (1, 3)
    assert {block.block for block in why.blocks} == {"linear", "additive_5", "additive_12", "pairs"}
    state: Any = of_context.explanation
    assert state.contributions is None
    assert state.effects.columns[0].lower is None
    for block, other in nonempty(zip(why.blocks, state.blocks, strict=True)):
        assert block.block == other.block
        assert_close(block.strength, other.strength, block.block, rtol=1e-6)


def test_parts_that_the_model_lacks_are_refused() -> None:
    with Client() as client, pytest.raises(InvalidInput, match="model gd-8 has no effects"):
        client.predict(X, Y, X[:2], model="gd-8", explain=["effects"])


@pytest.mark.parametrize("model", ["linear", "nonlinear"])
@pytest.mark.parametrize("remote", [False, True], ids=["here", "there"])
def test_regressor_explains_its_state(server: Server, model: str, remote: bool) -> None:
    regressor = GDSSMRegressor(model, url=server.url if remote else None).fit(X, Y)
    found = regressor.explain(0.8)
    assert found.effects is not None
    assert found.contributions is None
    assert found.pairs is not None
    assert len(found.pairs) == (6 if model == "nonlinear" else 0)
    for effect in nonempty(found.effects.columns):
        assert effect.lower is not None
        assert effect.upper is not None
        assert_close((effect.lower + effect.upper) / 2, effect.effect, "middle", rtol=1e-12)
    if model == "linear":
        first = found.effects.columns[0]
        slope = (first.effect[-1] - first.effect[0]) / (first.values[-1] - first.values[0])
        assert_close(slope, regressor.coef_[:, 0], "slope", rtol=1e-9)
    without = regressor.explain().effects
    assert without is not None
    assert without.columns[0].lower is None


def test_regressor_reports_missing_explanations(server: Server) -> None:
    for url in (None, server.url):
        with pytest.raises(ValueError, match="model gd-8 has no effects, pairs or blocks in version"):
            GDSSMRegressor("gd-8", url=url).fit(X, Y).explain()
    with pytest.raises(ValueError, match=r"The level must be above 0 and below 1; this is 1\.5"):
        GDSSMRegressor().fit(X, Y).explain(1.5)
