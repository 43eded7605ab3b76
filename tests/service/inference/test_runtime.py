"""Running a graph: optional inputs, and refused ones."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from service.errors import BrokenArtifact, InvalidInput
from service.inference.artifact import METADATA_KEY, UNHASHED, content_hash
from service.inference.runtime import CACHED_BYTES_LIMIT, CACHED_SHAPES_LIMIT, Runtime
from tests.closeness import assert_close
from tests.properties.backends import ZOO


@pytest.fixture(scope="module")
def gd() -> Runtime:
    return Runtime.load(ZOO / "gd-1.onnx")


def observations(batch: int = 2, length: int = 7) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {"x": generator.normal(size=(batch, length, 5)), "y": generator.normal(size=(batch, length, 3))}


def test_state_weight_and_queries_may_be_left_out(gd: Runtime) -> None:
    data = observations()
    explicit = {"weight": np.ones((2, 7)), "x_query": np.ones((2, 0, 5)), "state.count": np.zeros(2)}
    short, long = gd.run(data), gd.run({**data, **explicit, "state.gated_sum": np.zeros((2, 8, 8))})
    for name, expected in long.items():
        assert_close(short[name], expected, name)
    assert short["prediction"].shape == (2, 0, 3)


def test_observations_may_be_left_out_where_the_state_tells_the_widths(gd: Runtime) -> None:
    state = gd.state_after(gd.run(observations()))
    assert gd.run({**state, "x_query": np.ones((2, 4, 5))})["prediction"].shape == (2, 4, 3)


def test_a_parameter_has_its_default_in_the_graph(gd: Runtime) -> None:
    data = {**observations(), "x_query": np.ones((2, 4, 5))}
    automatic, given = gd.run(data), gd.run({**data, "learning_rate": 0.1})
    assert_close(gd.run({**data, "learning_rate": 0.0})["prediction"], automatic["prediction"], "prediction")
    assert np.abs(given["prediction"] - automatic["prediction"]).max() > 0.01


def test_what_is_left_out_is_made_once_for_the_same_shapes(gd: Runtime) -> None:
    data = observations()
    first, again = gd.complete(data), gd.complete({name: 2 * array for name, array in data.items()})
    longer = gd.complete(observations(length=8))
    assert again["weight"] is first["weight"]
    assert_close(again["x"], 2 * data["x"], "x")
    assert longer["weight"].shape == (2, 8)
    with pytest.raises(ValueError, match="read-only"):
        first["weight"][0, 0] = 0.0


def test_what_is_kept_of_it_is_bounded(gd: Runtime) -> None:
    for length in range(200):
        gd.complete(observations(length=length))
    large = observations(batch=1, length=CACHED_BYTES_LIMIT // 8 + 1)
    assert gd.complete(large)["weight"] is not gd.complete(large)["weight"]
    assert len(gd._left_out) <= CACHED_SHAPES_LIMIT


def test_what_was_refused_is_refused_again(gd: Runtime) -> None:
    for _ in range(2):
        with pytest.raises(InvalidInput, match="y: has N = 6, but x has 7"):
            gd.run({"x": np.ones((2, 7, 5)), "y": np.ones((2, 6, 3))})


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"x": np.ones((2, 7, 5)), "y": np.ones((2, 6, 3))}, "y: has N = 6, but x has 7"),
        ({"x": np.ones((2, 7, 5)), "y": np.ones((2, 7))}, r"y: needs the shape \(B, N, K\)"),
        ({"x": np.ones((2, 7, 5))}, "has K|has D\\+K"),
        ({"x": np.ones((1, 7, 5)), "y": np.ones((1, 7, 3)), "x_query": np.ones((1, 1, 4))}, "x_query: has D = 4"),
        ({"state.gated_sum": np.ones((1, 8, 8)), "x": np.ones((1, 7, 5)), "y": np.ones((1, 7, 2))}, r"D \+ K = 8"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(gd: Runtime, tensors: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        gd.run(tensors)


def broken(tmp_path: Path, old: bytes, new: bytes, *, rehash: bool) -> Path:
    """Copy a file with some bytes changed, and its hash made to fit if asked."""
    path = tmp_path / "gd-1.onnx"
    shutil.copy(ZOO / "gd-1.onnx", path)
    sha256 = Runtime.load(path).manifest.sha256
    file = path.read_bytes()
    assert len(old) == len(new)
    assert old in file
    file = file.replace(old, new)
    if rehash:
        unhashed = file.replace(sha256.encode(), UNHASHED.encode())
        file = unhashed.replace(UNHASHED.encode(), content_hash(unhashed, UNHASHED).encode())
    path.write_bytes(file)
    return path


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    path = broken(tmp_path, b"One gradient step", b"Two gradient step", rehash=False)
    with pytest.raises(BrokenArtifact, match=r"gd-1\.onnx: the content does not match its hash"):
        Runtime.load(path)


def test_a_rehashed_file_loads_where_only_words_changed(tmp_path: Path) -> None:
    path = broken(tmp_path, b"One gradient step", b"Two gradient step", rehash=True)
    assert Runtime.load(path).manifest.summary.startswith("Two")


def test_a_golden_answer_that_the_graph_does_not_give_is_refused(tmp_path: Path) -> None:
    path = broken(tmp_path, b'"tolerance":1e-9', b'"tolerance":-1.0', rehash=True)
    with pytest.raises(BrokenArtifact, match="golden example"):
        Runtime.load(path)


def test_a_manifest_that_is_not_the_graphs_is_refused(tmp_path: Path) -> None:
    path = broken(tmp_path, b'"name":"x_query"', b'"name":"x_queri"', rehash=True)
    with pytest.raises(BrokenArtifact, match="disagree about the inputs x_queri, x_query"):
        Runtime.load(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00" * 1000])
def test_what_is_not_a_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "no.onnx"
    path.write_bytes(content)
    with pytest.raises(BrokenArtifact, match=r"no\.onnx: "):
        Runtime.load(path)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "half.onnx"
    file = (ZOO / "gd-1.onnx").read_bytes()
    path.write_bytes(file[: len(file) // 2])
    with pytest.raises(BrokenArtifact, match=r"half\.onnx: "):
        Runtime.load(path)


def test_a_file_without_a_manifest_is_refused(tmp_path: Path) -> None:
    path = broken(tmp_path, METADATA_KEY.encode(), METADATA_KEY[::-1].encode(), rehash=True)
    with pytest.raises(BrokenArtifact, match="no manifest"):
        Runtime.load(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenArtifact, match="cannot be read"):
        Runtime.load(tmp_path / "missing.onnx")
