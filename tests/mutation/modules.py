"""Critical modules, and the tests that must notice a mistake in each."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

CONTEXTS, STATES, ROUTES = "tests/service/contexts", "tests/service/states", "tests/service/api/routes"
MODULES: dict[str, dict[str, tuple[str, ...]]] = {
    "limits": {
        "service/numbers.py": ("tests/service/test_numbers.py", "tests/service/test_real_numbers.py"),
        "service/real_numbers.py": ("tests/service/test_real_numbers.py", "tests/service/test_numbers.py"),
        "service/inference/checks.py": (
            "tests/service/inference/test_predictor.py",
            "tests/service/inference/test_tensor_inference.py",
            "tests/service/states/test_context_state.py",
        ),
        "service/inference/sizes.py": ("tests/service/inference/test_sizes.py",),
        "service/inference/tensor_inference.py": ("tests/service/inference/test_tensor_inference.py",),
        "service/server/websocket_protocol.py": ("tests/service/server/test_websocket_protocol.py",),
        "service/api/middleware/admission.py": (
            "tests/service/api/middleware/test_admission.py",
            "tests/service/api/middleware/test_capacity.py",
            "tests/service/api/middleware/test_deadlines.py",
        ),
    },
    "state": {
        "service/states/context_state.py": (
            f"{STATES}/test_context_state.py",
            f"{STATES}/test_forgetting.py",
            f"{STATES}/test_precision.py",
        ),
        "service/states/learning.py": (
            f"{STATES}/test_context_state.py",
            f"{CONTEXTS}/test_context_levels.py",
            f"{STATES}/test_precision.py",
        ),
        "service/states/forgetting.py": (f"{STATES}/test_forgetting.py",),
        "service/states/tensors.py": (f"{STATES}/test_tensors.py",),
        "service/states/merge.py": (f"{STATES}/test_merge.py", f"{STATES}/test_cells.py"),
        "service/states/precision.py": (f"{STATES}/test_precision.py", f"{ROUTES}/test_digits_left.py"),
        "service/states/removal.py": (
            f"{STATES}/test_precision.py",
            f"{STATES}/test_context_state.py",
            f"{CONTEXTS}/test_impossible_imports.py",
            f"{ROUTES}/test_precision.py",
            f"{ROUTES}/test_removals.py",
        ),
        "service/contexts/serialization.py": (
            f"{CONTEXTS}/test_serialization.py",
            f"{CONTEXTS}/test_impossible_imports.py",
        ),
    },
    "access": {
        "service/access/keyring.py": ("tests/service/access",),
        "service/access/keys.py": ("tests/service/access", "tests/service/api/middleware/test_access.py"),
        "service/access/rate_limits.py": ("tests/service/access",),
        "service/access/sites.py": ("tests/service/access",),
        "service/access/usage.py": ("tests/service/access",),
    },
    "evidence": {
        "gdssm/prior.py": ("tests/gdssm/test_prior.py", "tests/export/test_shipped.py"),
        "gdssm/evidence.py": ("tests/gdssm/test_evidence.py",),
        "gdssm/quadrature.py": ("tests/gdssm/test_prior.py", "tests/gdssm/test_quadrature.py"),
        "gdssm/decay_average.py": ("tests/gdssm/test_decay_average.py", "tests/gdssm/test_prior.py"),
        "service/inference/wide_readout.py": ("tests/service/inference/test_wide_readout.py",),
    },
}


@dataclass(frozen=True)
class Equivalent:
    """A mutant that behaves as the original does: a line of a module, and what it became."""

    module: str
    original: str
    mutant: str
    reason: str


def equivalents() -> list[Equivalent]:
    """Read the list that is kept by hand."""
    entries = tomllib.loads((Path(__file__).parent / "equivalent.toml").read_text())["equivalent"]
    return [Equivalent(**entry) for entry in entries]
