"""The files that ship are what the code makes, and a file that lies is never kept."""

import logging
from pathlib import Path

import numpy as np
import onnx
import pytest

from export.graph import StreamingGraph
from export.to_onnx import producers
from export.verify import verify
from export.write import manifest
from export.zoo import ENTRIES, Entry
from service.errors import BrokenArtifact
from service.inference.artifact import Manifest
from service.inference.runtime import Runtime
from tests.closeness import assert_close
from tests.export.exports import Make, exporter
from tests.nonempty import nonempty
from tests.properties.backends import ZOO

named = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.file.removesuffix(".onnx"))
LETTERS = {"B", "N", "M", "D", "K", "G", "A", "P", "S0", "S1", "S2", "S3"}
BYTES = {"nonlinear.onnx": 220_000, "classifier.onnx": 250_000}
"""At most, of files that are larger than 100 kB."""
GD_1 = next(entry for entry in ENTRIES if entry.name == "gd-1")


@pytest.fixture(autouse=True)
def quiet() -> None:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Make:
    return exporter(tmp_path_factory.mktemp("zoo"))


def graph_of(path: Path) -> bytes:
    graph: bytes = onnx.load(path).graph.SerializeToString(deterministic=True)
    return graph


def comparable(model: Manifest) -> dict[str, object]:
    return model.model_dump(exclude={"golden", "sha256"})


@pytest.mark.slow
@named
def test_the_file_that_ships_is_the_file_the_code_makes(entry: Entry, made: Make) -> None:
    assert graph_of(ZOO / entry.file) == graph_of(made(entry)), "run `make zoo` and commit what it writes"
    ours, shipped = (Runtime.load(path).manifest for path in (made(entry), ZOO / entry.file))
    assert comparable(shipped) == comparable(ours), "run `make zoo` and commit what it writes"
    for tensor, values in ours.golden.outputs.items():
        assert_close(shipped.golden.outputs[tensor], values, tensor)


def test_the_zoo_has_no_other_files() -> None:
    assert {path.name for path in ZOO.glob("*.onnx")} == {entry.file for entry in ENTRIES}


def test_only_a_version_that_another_supersedes_has_its_version_in_its_file() -> None:
    for entry in ENTRIES:
        versions = sorted(other.version for other in ENTRIES if other.name == entry.name)
        assert entry.file == (f"{entry.name}.onnx" if entry.version == versions[-1] else f"{entry.name}-1.0.0.onnx")


@named
def test_files_are_small_and_contain_no_paths(entry: Entry) -> None:
    file = (ZOO / entry.file).read_bytes()
    assert len(file) < BYTES.get(entry.file, 100_000)
    assert str(Path.home()).encode() not in file
    assert b"site-packages" not in file
    assert b".py" not in file


@pytest.mark.slow
@named
def test_every_axis_is_named_in_the_graph(entry: Entry) -> None:
    graph, model = onnx.load(ZOO / entry.file).graph, Runtime.load(ZOO / entry.file).manifest
    shapes = {spec.name: spec.shape for spec in (*model.inputs, *model.outputs)}
    shapes |= {parameter.name: () for parameter in model.parameters}
    for value in nonempty((*graph.input, *graph.output)):
        axes = tuple(dimension.dim_param or dimension.dim_value for dimension in value.type.tensor_type.shape.dim)
        assert axes == shapes.pop(value.name), value.name
        for axis in axes:
            if isinstance(axis, str):
                assert set(axis.split("+")) <= LETTERS, value.name
            else:  # of a model of fixed widths, of the buffer, or of a table of features
                fixed = model.dims["D"] != "any" or value.name.startswith("layout.") or ".buffer" in value.name
                assert fixed, (value.name, axes)
    assert not shapes


@pytest.mark.slow
@named
def test_the_manifest_names_its_makers_and_its_origin(entry: Entry) -> None:
    model = Runtime.load(ZOO / entry.file).manifest
    assert (model.name, model.version) == (entry.name, entry.version)
    assert model.producers == producers()
    assert model.origin == ("trained" if entry.run else "constructed")
    assert (model.training is None) == (model.origin == "constructed")
    assert model.streams == (entry.name != "softmax-8")


class _Lying(StreamingGraph):
    """Answers a thousandth more than the model that was written to the file."""

    def forward(self, *tensors):  # type: ignore[no-untyped-def]  # noqa: ANN002, ANN202
        prediction, *state = super().forward(*tensors)
        return (prediction * 1.001, *state)


class _OfOneMoreAxis(StreamingGraph):
    """Answers the same numbers in a shape that broadcasts to that of the file, so that no difference shows."""

    def forward(self, *tensors):  # type: ignore[no-untyped-def]  # noqa: ANN002, ANN202
        prediction, *state = super().forward(*tensors)
        return (prediction[None], *state)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (_Lying, "prediction differs from torch's by"),
        (_OfOneMoreAxis, r"prediction has shape \(1, 1, 1\), torch's has \(1, 1, 1, 1\), at"),
    ],
)
def test_a_file_that_does_not_answer_as_its_model_does_is_deleted(
    made: Make, tmp_path: Path, kind: type[StreamingGraph], words: str
) -> None:
    path = tmp_path / GD_1.file
    path.write_bytes(made(GD_1).read_bytes())
    graph = GD_1.make()
    graph.__class__ = kind
    with pytest.raises(BrokenArtifact, match=words):
        verify(path, graph)
    assert not path.exists()


def test_the_golden_example_is_torchs_own_answer() -> None:
    golden = manifest(GD_1, GD_1.make()).golden
    x, y, weight, x_query = (np.array(golden.inputs[name][0]) for name in ("x", "y", "weight", "x_query"))
    cross = (weight[:, None] * x).T @ y / weight.sum()
    gram = (weight[:, None] * x).T @ x / weight.sum()
    rate = (cross * cross).sum(0) / (cross * (gram @ cross)).sum(0)
    assert_close(np.array(golden.outputs["prediction"][0]), x_query @ cross * rate, "prediction")
