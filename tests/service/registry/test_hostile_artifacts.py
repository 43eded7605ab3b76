"""Damaged and hostile model files: each is refused with a reason, in limited time and memory."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from gdssm.feature_plan import PAIRS, Band, FeaturePlan, Knots
from service.errors import BrokenArtifact
from service.inference.artifact import METADATA_KEY, MergeRule
from service.inference.runtime import MANIFEST_LENGTH_LIMIT, Runtime
from service.registry import sandbox
from service.registry.sandbox import load_in_sandbox
from tests.running import ROOT
from tests.service.forged import adding, endless, forged, manifest, rehashed, shipped

make_node = onnx.helper.make_node


@pytest.mark.parametrize("sixteenths", range(16))
def test_a_file_that_was_cut_short_is_refused_before_onnxruntime_reads_it(sixteenths: int) -> None:
    file = shipped()
    with pytest.raises(BrokenArtifact, match=r"has no manifest|does not match its hash"):
        Runtime.of_bytes(file[: len(file) * sixteenths // 16])


def test_any_changed_byte_is_refused() -> None:
    generator, file = np.random.default_rng(0), bytearray(shipped())
    for place in generator.integers(0, len(file), 200):
        changed = file.copy()
        changed[place] ^= 1 << int(generator.integers(8))
        with pytest.raises(BrokenArtifact, match=r"has no manifest|does not match its hash"):
            Runtime.of_bytes(bytes(changed))


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00" * 100_000, b"PK\x03\x04" + b"\x00" * 64, b"\xff" * 4096])
def test_file_that_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(BrokenArtifact, match="has no manifest"):
        Runtime.of_bytes(content)


@pytest.mark.slow
def test_valid_file_passes_the_sandbox() -> None:
    load_in_sandbox(shipped())


@pytest.mark.slow
def test_random_damage_with_a_valid_hash_is_loaded_or_refused() -> None:
    """In one process, so that a crash fails the test."""
    code = (
        "import sys, numpy\n"
        "from service.errors import BrokenArtifact\n"
        "from service.inference.runtime import Runtime\n"
        "from tests.service.forged import rehashed, shipped\n"
        "generator, file = numpy.random.default_rng(1), shipped()\n"
        "graph = file.index(b'gdssm.manifest')\n"
        "refused = 0\n"
        "for _ in range(80):\n"
        "    changed = bytearray(file)\n"
        "    for place in generator.integers(0, graph, generator.integers(1, 9)):\n"
        "        changed[place] = generator.integers(256)\n"
        "    try:\n"
        "        Runtime.of_bytes(rehashed(bytes(changed)))\n"
        "    except BrokenArtifact as error:\n"
        "        assert 10 < len(str(error)) < 700, error\n"
        "        refused += 1\n"
        "assert refused > 30\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout == b""


def constant(*shape: int) -> Callable[[onnx.ModelProto], None]:
    """A small graph that allocates a tensor of any size."""
    return adding(
        "total",
        make_node("ConstantOfShape", ["shape"], ["zeros"], value=onnx.numpy_helper.from_array(np.zeros(1))),
        make_node("ReduceSum", ["zeros"], ["total"], keepdims=0),
        shape=np.array(shape),
    )


def initializer(size: int, *, content: bytes = b"", elsewhere: str = "") -> Callable[[onnx.ModelProto], None]:
    """A graph with missing or external numbers."""
    tensor = onnx.TensorProto(name="w", data_type=onnx.TensorProto.DOUBLE, dims=[size], raw_data=content)
    if elsewhere:
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=elsewhere)

    def change(model: onnx.ModelProto) -> None:
        adding("w")(model)
        model.graph.initializer.append(tensor)

    return change


HOSTILE = {
    "a tensor of 8 TB": (constant(10**6, 10**6), "cannot be run|cannot load"),
    "a tensor of 4 GB": (constant(500_000_000), "cannot be run|cannot load"),
    "an initializer of negative size": (initializer(-5), "cannot load"),
    "an initializer larger than the file": (initializer(2**40, content=b"12345678"), "cannot load"),
    "numbers in another file": (initializer(1, elsewhere="numbers.bin"), "cannot load"),
    "numbers in a file of the system": (initializer(1, elsewhere="/etc/hostname"), "cannot load"),
    "numbers in a file further up": (initializer(1, elsewhere="../../etc/hostname"), "cannot load"),
    "an unknown operation": (
        adding("e", make_node("Evil", ["honest"], ["e"], domain="evil")),
        "cannot load",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", HOSTILE)
def test_graph_over_the_memory_limit_is_refused(what: str, tmp_path: Path) -> None:
    change, reason = HOSTILE[what]
    content = forged(tmp_path / "hostile.onnx", change)
    with pytest.raises(BrokenArtifact, match=reason):
        load_in_sandbox(content)


@pytest.mark.slow
def test_endless_graph_is_refused_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = endless(tmp_path / "endless.onnx")
    monkeypatch.setattr(sandbox, "LOAD_TIMEOUT", 2)
    begun = time.monotonic()
    with pytest.raises(BrokenArtifact, match=r"did not load within 2 s|ended the process"):
        load_in_sandbox(content)
    assert time.monotonic() - begun < 60


def test_file_that_ends_the_sandbox_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(BrokenArtifact, match=r"ended the process that tried it out \(exit code 1\)"):
        load_in_sandbox(shipped())


def test_sandbox_has_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSSM_DATABASE_URL", "postgresql://name:secret@host/name")
    assert "GDSSM_DATABASE_URL" not in sandbox.sandbox_environment()


def golden(**changes: object) -> dict[str, Any]:
    return {"golden": manifest().golden.model_copy(update=changes)}


def outputs(**changes: object) -> dict[str, Any]:
    return golden(outputs={**manifest().golden.outputs, **changes})


def inputs(**changes: object) -> dict[str, Any]:
    return golden(inputs={**manifest().golden.inputs, **changes})


X = [spec for spec in manifest().inputs if spec.name == "x"]
LIES: dict[str, tuple[dict[str, Any], str]] = {
    "no golden output": (golden(outputs={}), "must have every output"),
    "a golden output that there is not": (outputs(other=[1.0]), "must have every output"),
    "a golden output of another shape": (outputs(prediction=0.5), "prediction is not what"),
    "a golden output that is a text": (outputs(prediction="0.5"), "cannot be run|prediction is not"),
    "a ragged golden output": (outputs(prediction=[[1.0], [1.0, 2.0]]), "cannot be run"),
    "a golden output that is not a number": (outputs(prediction=[[[float("nan")] * 2] * 2]), "prediction is not|valid"),
    "golden inputs of shapes that do not fit": (inputs(y=[[[1.0, 2.0]]]), "cannot be run"),
    "golden inputs that are no numbers": (inputs(x={"a": 1}), "cannot be run"),
    "golden inputs that the graph has not": (inputs(z=[1.0]), "cannot be run"),
    "a tolerance for everything": (golden(tolerance=1e300), "not valid"),
    "a manifest without end": ({"summary": "x" * MANIFEST_LENGTH_LIMIT}, "has 1050[0-9]{3} characters"),
    "a name that is a path": ({"name": "../secret"}, "not valid"),
    "a name without end": ({"name": "a" * 101}, "not valid"),
    "a version of many digits": ({"version": f"{'9' * 5000}.0.0"}, "not valid"),
    "no inputs": ({"inputs": ()}, "disagree about the inputs"),
    "one input twice": ({"inputs": (*manifest().inputs, *X)}, "breaks the contract"),
    "levels without features": ({"column_kinds": ("number", "level")}, "column_kinds must be number alone"),
    "a merge rule for another state": ({"merge": MergeRule(rule="moments")}, "merge rule moments is about"),
    "a width that the graph does not have": ({"dims": {"D": 5, "K": "any"}}, "the inputs must be"),
    "no width": ({"dims": {"K": "any"}}, "the inputs must be"),
    "linear given what there is not": ({"linear_in_y_given": ("momentum",)}, "momentum, which are no parameters"),
}


@pytest.mark.parametrize("what", LIES)
def test_wrong_manifest_is_refused(what: str, tmp_path: Path) -> None:
    claims, reason = LIES[what]
    content = forged(tmp_path / "lying.onnx", **claims)
    with pytest.raises(BrokenArtifact, match=reason):
        Runtime.of_bytes(content)


OPEN = Band(None, (), ((1.0,),))
PLANS: dict[str, tuple[FeaturePlan, str]] = {
    "no bands": (FeaturePlan((), 4), "the last of features.bands must be for any number"),
    "no open band": (FeaturePlan((Band(9, (), ((1.0,),)),), 4), "the last of features.bands must be for any number"),
    "two open bands": (FeaturePlan((OPEN, OPEN), 4), "must be for numbers of columns that rise"),
    "bands that fall": (FeaturePlan((Band(9, (), ((1.0,),)), Band(3, (), ((1.0,),)), OPEN), 4), "columns that rise"),
    "a band of no columns": (FeaturePlan((Band(0, (), ((1.0,),)), OPEN), 4), "columns that rise"),
    "groups without end": (FeaturePlan((OPEN,), 10**12), "features.groups is 1000000000000; it must be 1 to 16"),
    "no groups": (FeaturePlan((OPEN,), 0), "features.groups is 0"),
    "pairs of any number of columns": (FeaturePlan((Band(None, (PAIRS,), ((0.5, 0.5),)),), 4), "must make no features"),
    "too many pairs": (FeaturePlan((Band(1000, (PAIRS,), ((0.5, 0.5),)), OPEN), 4), "makes 499500 features of 1000"),
    "too many knots": (FeaturePlan((Band(1, (Knots((0.0,) * 2000, 1.0),), ((0.5, 0.5),)), OPEN), 4), "makes 2000"),
    "pairs twice": (FeaturePlan((Band(3, (PAIRS, PAIRS), ((0.5, 0.5, 0.1),)), OPEN), 4), "a block twice"),
    "more groups than there are": (FeaturePlan((Band(None, (), ((1.0,),) * 5),), 4), "has 5 groups; by features.gro"),
    "a band without groups": (FeaturePlan((Band(None, (), ()),), 4), "has 0 groups"),
    "a share too few": (FeaturePlan((Band(3, (PAIRS,), ((1.0,),)), OPEN), 4), "one share for the columns and one for"),
    "a share below 0": (FeaturePlan((Band(None, (), ((-1.0,),)),), 4), "or a share below 0"),
    "a share that is no number": (FeaturePlan((Band(None, (), ((float("nan"),),)),), 4), "not finite|not valid"),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", PLANS)
def test_harmful_feature_plan_is_refused(what: str, tmp_path: Path) -> None:
    plan, reason = PLANS[what]
    content = forged(tmp_path / "planned.onnx", lambda _: None, "nonlinear", features=plan)
    with pytest.raises(BrokenArtifact, match=reason):
        Runtime.of_bytes(content)


def test_a_manifest_of_endless_depth_is_refused() -> None:
    old = b'"summary":"' + manifest().summary.encode() + b'"'
    new = b'"summary":' + b"[" * (len(old) - 10)
    file = shipped()
    assert file.count(old) == 1
    with pytest.raises(BrokenArtifact, match="manifest is not valid"):
        Runtime.of_bytes(rehashed(file.replace(old, new)))


def test_manifest_under_another_key_is_ignored() -> None:
    content = shipped().replace(METADATA_KEY.encode(), METADATA_KEY[::-1].encode())
    with pytest.raises(BrokenArtifact, match="has no manifest"):
        Runtime.of_bytes(rehashed(content))
