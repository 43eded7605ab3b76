"""The tests of gdssm pass while every call is checked against its annotated shapes."""

import subprocess
import sys

import pytest

from tests.running import ROOT

MODULES = (
    "layer",
    "layer_ideas",
    "moments",
    "cell_moments",
    "curvature",
    "descent_integral",
    "evidence",
    "readout",
    "feature_map",
    "query_design",
    "evidence_average",
    "class_readout",
    "evidence_classifier",
    "stack",
    "streaming",
    "formulations",
    "linear_attention",
)


LONG = "not never_much_worse and not 10000-1"
"""Leaves out averages over many calls with the shapes of other tests; `few_parameters` leaves out combinations."""


@pytest.mark.slow
def test_annotated_shapes_match_at_run_time() -> None:
    files = [f"tests/gdssm/test_{module}.py" for module in MODULES]
    checked = ["--jaxtyping-packages", "gdssm,beartype.beartype", "-q", "-p", "no:cacheprovider", "-k", LONG]
    checked += ["-p", "tests.contracts.few_parameters"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *files, *checked], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.slow
def test_wrong_shape_is_detected() -> None:
    code = """
from jaxtyping import install_import_hook
with install_import_hook("gdssm", "beartype.beartype"):
    from gdssm.tokens import embed
import torch
embed(torch.zeros(2, 7, 5), torch.zeros(2, 6, 3))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "TypeCheckError" in done.stderr
