"""Effects, pairs and blocks from every HTTP endpoint, one-shot and of contexts."""

from typing import Any

import httpx
import numpy as np
import pytest

from service.explaining.as_tensors import blocks_in, effects_in, pairs_in
from service.inference.tensors import pack, unpack
from tests.closeness import assert_close
from tests.nonempty import nonempty
from tests.service.api.routes.context_calls import make, post, refusal
from tests.service.in_process import InProcess

N, D, K = 40, 3, 2
GENERATOR = np.random.default_rng(0)
X = np.column_stack([GENERATOR.normal(size=(N, 2)), np.arange(N) % 2]).round(3)
Y = np.stack([np.abs(X[:, 0]) + X[:, 2], X[:, 0] * X[:, 1]], 1) + 0.1 * GENERATOR.normal(size=(N, K))
QUERY = X[:2] + 0.1
KIND = "application/vnd.safetensors"
BINARY = {"Content-Type": KIND, "Accept": KIND}
TERMS = ["effects", "pairs", "blocks"]
FLAT = pytest.mark.parametrize("flat", [True, False], ids=["numbers", "rows"])


def observations(flat: bool) -> dict[str, Any]:
    return {"x": X.tolist(), "y": (Y[:, 0] if flat else Y).tolist()}


def one_shot(client: InProcess, flat: bool = True, **more: object) -> httpx.Response:
    asked = {"model": "nonlinear", "query": QUERY.tolist(), "explain": TERMS}
    return client.predict({"context": observations(flat), **asked, **more})


def explained(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["explanation"]
    return found


def shape(found: Any) -> tuple[int, ...]:  # noqa: ANN401  (numbers, or lists of them)
    return tuple(np.shape(found))


@FLAT
def test_terms_come_in_the_shape_of_y(client: InProcess, flat: bool) -> None:
    found = explained(one_shot(client, flat, interval=0.9))
    rows = () if flat else (K,)
    assert list(found) == TERMS
    assert shape(found["effects"]["base"]) == rows
    columns = found["effects"]["columns"]
    assert [effect["column"] for effect in columns] == [0, 1, 2]
    assert [len(effect["values"]) for effect in columns] == [33, 33, 2]
    for effect in nonempty(columns):
        assert list(effect) == ["column", "strength", "values", "effect", "lower", "upper"]
        assert shape(effect["strength"]) == rows
        for name in ("effect", "lower", "upper"):
            assert shape(effect[name]) == (len(effect["values"]), *rows)
    assert flat or found["pairs"][0]["columns"] == [0, 1]
    assert all(shape(pair["strength"]) == shape(pair["weight"]) == rows for pair in nonempty(found["pairs"]))
    names = ["linear", "additive_5", "additive_12", "pairs"]
    assert sorted(block["block"] for block in found["blocks"]) == sorted(names)
    assert all(shape(block["probability"]) == shape(block["strength"]) == rows for block in nonempty(found["blocks"]))


def test_response_has_requested_parts_and_bounds_only(client: InProcess) -> None:
    found = explained(one_shot(client, explain=["effects"]))
    assert list(found) == ["effects"]
    assert list(found["effects"]["columns"][0]) == ["column", "strength", "values", "effect"]


def test_bounds_after_one_observation_are_null(client: InProcess) -> None:
    context = {"x": X[:1].tolist(), "y": [1.0]}
    found = explained(one_shot(client, context=context, interval=0.9))
    assert [effect["lower"] for effect in found["effects"]["columns"]] == [[None]] * D
    assert found["pairs"] == []


def test_a_missing_cell_has_an_effect(client: InProcess) -> None:
    rows = X.tolist()
    for n in range(0, N, 5):
        rows[n][1] = None
    context = {"x": rows, "y": (Y[:, 0] + 4.0 * (np.arange(N) % 5 == 0)).tolist()}
    query = [[0.1, None, 0.0], [0.1, 0.2, None]]
    found = explained(one_shot(client, context=context, query=query))
    columns = found["effects"]["columns"]
    assert all(isinstance(effect["missing"], float) for effect in nonempty(columns))
    assert columns[1]["missing"] == pytest.approx(np.mean(columns[1]["effect"]) + 4.0, abs=0.5)
    assert "indicators" in [block["block"] for block in found["blocks"]]
    everything = one_shot(client, context=context, query=query, explain=True).json()
    shares = everything["explanation"]["contributions"]
    assert [sum(row) for row in shares] == pytest.approx(everything["prediction"])
    cells = np.array([[np.nan if cell is None else cell for cell in row] for row in rows])
    tensors = {"x": cells, "y": np.array(context["y"]), "query": QUERY}
    answer = client.request(
        "POST", "/v1/predict", content=pack(tensors, {"model": "nonlinear", "explain": "effects"}), headers=BINARY
    )
    effects = effects_in(unpack(answer.content)[0], ())
    assert effects is not None
    assert [effect.missing for effect in effects.columns] == [effect["missing"] for effect in columns]


@FLAT
def test_safetensors_equal_json(client: InProcess, flat: bool) -> None:
    expected = explained(one_shot(client, flat, interval=0.9))
    tensors = {"x": X, "y": Y[:, 0] if flat else Y, "query": QUERY}
    about = {"model": "nonlinear", "explain": ",".join(TERMS), "interval": "0.9"}
    answer = client.request("POST", "/v1/predict", content=pack(tensors, about), headers=BINARY)
    arrays, texts = unpack(answer.content)
    effects, pairs = effects_in(arrays, () if flat else (K,)), pairs_in(arrays)
    blocks = blocks_in(arrays, texts["blocks"])
    assert effects is not None
    assert pairs is not None
    assert blocks is not None
    assert_close(effects.base, expected["effects"]["base"], "base", rtol=0)
    for effect, sent in nonempty(zip(effects.columns, expected["effects"]["columns"], strict=True)):
        assert effect.missing is None
        for name in ("strength", "values", "effect", "lower", "upper"):
            assert_close(getattr(effect, name), sent[name], name, rtol=0)
    for found, sent in ((pairs, expected["pairs"]), (blocks, expected["blocks"])):
        for one, other in nonempty(zip(found, sent, strict=True)):
            for name, value in nonempty(other.items()):
                assert np.array_equal(getattr(one, name), value), name


@FLAT
@pytest.mark.parametrize("model", ["nonlinear", "linear"])
def test_a_context_has_the_terms_of_its_observations(client: InProcess, model: str, flat: bool) -> None:
    expected = explained(one_shot(client, flat, model=model, interval=0.9))
    context = make(client, model=model, version=None, observations=observations(flat))
    asked = {"query": QUERY.tolist(), "explain": TERMS, "interval": 0.9}
    found = explained(post(client, context, "predictions", asked))
    assert_close(found["effects"]["base"], expected["effects"]["base"], "base", rtol=1e-12)
    for effect, other in nonempty(zip(found["effects"]["columns"], expected["effects"]["columns"], strict=True)):
        assert_close(effect["strength"], other["strength"], "strength", rtol=1e-9)
        assert len(effect["values"]) == 33
        assert np.mean(effect["values"]) == pytest.approx(X[:, effect["column"]].mean())
        assert (np.array(effect["lower"]) <= np.array(effect["effect"])).all()
    for part in ("pairs", "blocks"):
        assert len(expected[part]) > 0 or (model, part) == ("linear", "pairs")
        for one, other in zip(found[part], expected[part], strict=True):
            for name, value in nonempty(other.items()):
                assert one[name] == (value if name in {"block", "columns"} else pytest.approx(value, rel=1e-6)), name


def test_all_explanations_of_a_context_exclude_contributions(client: InProcess) -> None:
    asked = {"query": QUERY.tolist(), "explain": True}
    for model, parts in (("nonlinear", TERMS), ("linear", ["implicit_weights", *TERMS])):
        context = make(client, model=model, version=None, observations=observations(flat=True))
        assert list(explained(post(client, context, "predictions", asked))) == parts
        refused = post(client, context, "predictions", asked | {"explain": ["effects", "contributions"]})
        assert "which a stored context does not have" in refusal(refused, 422, "unsupported_by_model")


@pytest.mark.parametrize("part", TERMS)
@pytest.mark.parametrize("model", ["gd-8", "classifier"])
def test_a_model_without_such_features_refuses_by_name(client: InProcess, model: str, part: str) -> None:
    context = {"x": X.tolist(), "y": np.eye(2)[np.arange(N) % 2].tolist()}
    error = refusal(one_shot(client, context=context, model=model, explain=[part]), 422, "unsupported_by_model")
    assert error.startswith(f"explain: model {model} has no {part} in version ")
