"""/v1/predict as safetensors: results equal those of JSON, and no body causes a 500."""

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.inference.tensors import Tensors, pack, unpack
from tests.service.in_process import InProcess

KIND = "application/vnd.safetensors"
GENERATOR = np.random.default_rng(0)
TENSORS = {
    "x": GENERATOR.normal(size=(7, 5)),
    "y": GENERATOR.normal(size=(7, 3)),
    "weight": GENERATOR.uniform(0.5, 2, 7),
    "query": GENERATOR.normal(size=(4, 5)),
}


def send(client: InProcess, tensors: Tensors, accept: str = KIND, **about: str) -> httpx.Response:
    return send_bytes(client, pack(tensors, about), accept)


def send_bytes(client: InProcess, content: bytes, accept: str = KIND) -> httpx.Response:
    headers = {"Content-Type": KIND, "Accept": accept}
    return client.request("POST", "/v1/predict", content=content, headers=headers)


def in_json(**more: object) -> dict[str, object]:
    x, y, weight, query = (TENSORS[name].tolist() for name in ("x", "y", "weight", "query"))
    return {"context": {"x": x, "y": y, "weight": weight}, "query": query, **more}


@pytest.mark.parametrize("version", ["2.0.0", "1.0.0"])
def test_safetensors_predict_like_json(client: InProcess, version: str) -> None:
    answer = send(client, TENSORS, model="linear", version=version)
    expected = client.predict(in_json(model="linear", version=version)).json()
    assert (answer.status_code, answer.headers["content-type"]) == (200, KIND)
    tensors, about = unpack(answer.content)
    np.testing.assert_array_equal(tensors["prediction"], expected["prediction"])
    notes = {"notes": ",".join(note["code"] for note in expected["notes"])} if "notes" in expected else {}
    assert notes == ({"notes": "beyond_observations"} if version == "2.0.0" else {})
    assert about == {
        "model": expected["model"]["name"],
        "version": version,
        "sha256": expected["model"]["sha256"],
        "n_observations": "7",
        **notes,
    }


def test_the_metadata_chooses_the_model_its_version_and_its_parameters(client: InProcess) -> None:
    tensors, about = unpack(send(client, TENSORS, model="gd-1", version="1.0.0", learning_rate="0.25").content)
    expected = client.predict(in_json(model="gd-1", parameters={"learning_rate": 0.25})).json()
    assert (about["model"], about["version"]) == ("gd-1", "1.0.0")
    np.testing.assert_array_equal(tensors["prediction"], expected["prediction"])
    assert send(client, TENSORS, model="gd-1", version="9.0.0").status_code == 404


@pytest.mark.parametrize("explain", ["true", "implicit_weights,contributions"])
def test_the_metadata_asks_for_explanations(client: InProcess, explain: str) -> None:
    tensors, _ = unpack(send(client, TENSORS, model="linear", explain=explain).content)
    expected = client.predict(in_json(model="linear", explain=True)).json()["explanation"]
    np.testing.assert_array_equal(tensors["contributions"], expected["contributions"])
    np.testing.assert_array_equal(tensors["implicit_weights"], expected["implicit_weights"]["weights"])
    np.testing.assert_array_equal(tensors["intercept"], expected["implicit_weights"]["intercept"])


@pytest.mark.parametrize(("accept", "binary"), [(KIND, True), ("*/*", False), ("application/json", False), ("", False)])
def test_accept_selects_the_format_of_the_response(client: InProcess, accept: str, binary: bool) -> None:
    headers = {"Accept": accept}
    for answer in (
        send(client, TENSORS, accept),
        client.request("POST", "/v1/predict", json=in_json(), headers=headers),
    ):
        assert answer.headers["content-type"] == (KIND if binary else "application/json")


def test_y_and_the_prediction_may_be_numbers_and_the_weights_left_out(client: InProcess) -> None:
    tensors = {"x": TENSORS["x"], "y": TENSORS["y"][:, 0], "query": TENSORS["query"]}
    assert unpack(send(client, tensors).content)[0]["prediction"].shape == (4,)


def test_an_answer_has_the_precision_of_the_model(client: InProcess) -> None:
    tensors = {"x": np.ones((3, 1), "f2"), "y": np.ones(3, "i4"), "query": np.ones((2, 1), "f4")}
    assert unpack(send(client, tensors, model="sine-trained").content)[0]["prediction"].dtype == np.float32
    assert unpack(send(client, tensors, model="gd-1").content)[0]["prediction"].dtype == np.float64


def changed(name: str, array: np.ndarray | None) -> Tensors:
    tensors = {**TENSORS, name: array}
    return {name: array for name, array in tensors.items() if array is not None}


REFUSED = {
    "no x": (changed("x", None), {}, "x", "is missing"),
    "no query": (changed("query", None), {}, "query", "is missing"),
    "an unknown tensor": (changed("x_query", np.ones(1)), {}, "x_query", "the tensors here are x, y, weight, query"),
    "x of one axis": (changed("x", np.ones(7)), {}, "x", "must have 2 axes"),
    "a batch": (changed("y", np.ones((1, 7, 3))), {}, "y", "must have 1 or 2 axes"),
    "no rows": (changed("query", np.ones((0, 5))), {}, "query", "is empty"),
    "NaN in y": (changed("y", np.full((7, 3), np.nan)), {}, "y[0][0]", "is NaN"),
    "infinity among missing cells": (changed("x", np.array([[np.nan, np.inf]])), {}, "x[0][1]", "is infinite"),
    "another length": (changed("y", np.ones(6)), {}, "context.y", "has 6 entries"),
    "another width": (
        changed("query", np.ones((4, 6))),
        {},
        "query",
        "has 6 features; context.x has 5. Send 5 features per query.",
    ),
    "weights of zero": (changed("weight", np.zeros(7)), {}, "context.weight", "sums to nothing"),
    "a parameter that is no number": (TENSORS, {"learning_rate": "fast"}, "parameters.learning_rate", "'fast'"),
    "a parameter that is NaN": (TENSORS, {"learning_rate": "nan"}, "parameters.learning_rate", "is NaN"),
    "an unknown parameter": (TENSORS, {"momentum": "1"}, "parameters.momentum", "is not a parameter"),
    "an unknown explanation": (TENSORS, {"explain": "why"}, "explain", "must be true, false or a list"),
}


@pytest.mark.parametrize(("tensors", "about", "field", "words"), REFUSED.values(), ids=REFUSED)
def test_mismatched_tensors_are_422_and_named(
    client: InProcess, tensors: Tensors, about: dict[str, str], field: str, words: str
) -> None:
    answer = send(client, tensors, **about)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/json")
    found = {entry["field"]: entry["message"] for entry in answer.json()["detail"]}
    assert words in found[field]


def test_an_unknown_model_is_404(client: InProcess) -> None:
    assert send(client, TENSORS, model="cubic").json()["error_type"] == "unknown_model"


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff" * 8, b"\xff" * 100])
def test_invalid_safetensors_are_400(client: InProcess, content: bytes) -> None:
    answer = send_bytes(client, content)
    assert (answer.status_code, answer.json()["error_type"]) == (400, "malformed_body")


@given(cut=st.integers(0, 600), noise=st.binary(max_size=20))
def test_damaged_bytes_are_answered_or_refused(client: InProcess, cut: int, noise: bytes) -> None:
    content = pack(TENSORS, {"model": "gd-1"})
    damaged = content[:cut] + noise + content[cut + len(noise) :]
    assert send_bytes(client, damaged).status_code in {200, 400, 404, 422}


OBSERVED = {name: TENSORS[name] for name in ("x", "y", "weight")}


def to_context(client: InProcess, path: str, tensors: Tensors, accept: str = KIND, **about: str) -> httpx.Response:
    headers = {"Content-Type": KIND, "Accept": accept}
    return client.request("POST", f"/v1/contexts/{path}", content=pack(tensors, about), headers=headers)


@pytest.fixture
def context(client: InProcess) -> str:
    made: str = client.request("POST", "/v1/contexts", json={"model": "gd-8"}).json()["id"]
    return made


def test_context_learns_and_predicts_in_safetensors(client: InProcess, context: str) -> None:
    fed = to_context(client, f"{context}/observations", OBSERVED)
    assert (fed.status_code, fed.headers["etag"], fed.json()["n_observations"]) == (200, '"2"', 7)
    rate, query = {"learning_rate": 0.1}, {"query": TENSORS["query"]}
    asked = {"query": TENSORS["query"].tolist(), "parameters": rate, "explain": ["implicit_weights"]}
    expected = client.request("POST", f"/v1/contexts/{context}/predictions", json=asked).json()
    about = {"learning_rate": "0.1", "explain": "implicit_weights"}
    answer = to_context(client, f"{context}/predictions", query, **about)
    assert (answer.headers["content-type"], answer.headers["etag"]) == (KIND, '"2"')
    tensors, texts = unpack(answer.content)
    np.testing.assert_array_equal(tensors["prediction"], expected["prediction"])
    np.testing.assert_array_equal(tensors["implicit_weights"], expected["explanation"]["implicit_weights"]["weights"])
    model = expected["model"]
    assert texts == {
        "model": model["name"],
        "version": model["version"],
        "sha256": model["sha256"],
        "n_observations": "7",
        "context_version": "2",
    }
    in_json = to_context(client, f"{context}/predictions", query, accept="application/json", **about)
    assert in_json.json() == expected


@pytest.mark.parametrize(
    ("path", "tensors", "about", "message"),
    [
        (
            "observations",
            TENSORS,
            {},
            "query: is not a tensor of this request. Leave it out; the tensors here are x, y",
        ),
        ("observations", {"x": TENSORS["x"]}, {}, "y: is missing"),
        ("observations", OBSERVED, {"model": "linear"}, "model: is not a text of this request"),
        ("predictions", {"query": TENSORS["query"]}, {"version": "1.0.0"}, "version: is not a text of this request"),
        ("predictions", {"query": TENSORS["query"]}, {"explain": "all"}, "explain: must be true, false or a list"),
        ("predictions", {"query": TENSORS["query"][0]}, {}, "query: must have 2 axes"),
    ],
)
def test_tensors_that_contexts_do_not_accept_are_refused(
    *, client: InProcess, context: str, path: str, tensors: Tensors, about: dict[str, str], message: str
) -> None:
    answer = to_context(client, f"{context}/{path}", tensors, **about)
    assert answer.status_code == 422
    assert message in answer.json()["error"]


def test_a_body_without_arrays_is_json(client: InProcess, context: str) -> None:
    assert to_context(client, f"{context}/merge", OBSERVED).status_code == 415
