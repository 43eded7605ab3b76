"""Every documented operation, fuzzed by schemathesis against the running service: its schema is correct.

One check is left out, `positive_data_acceptance`: a JSON schema cannot say that rows have one width, that a query
has the columns of its context, or that a version is the present one, so what fits the schema may yet be refused.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT, running

EXAMPLES = 15
"""Random examples of each operation, in addition to the systematic ones."""


BATCHES = """
[[operations]]
include-path = ["/v1/observations", "/v1/predictions"]
[operations.checks]
negative_data_rejection.enabled = false
"""
"""An invalid item of a batch is refused by its result, not by the status of the response."""


@pytest.mark.slow
def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    environment = {
        "GDSSM_DATABASE_URL": f"sqlite:///{tmp_path}/gdssm.db",
        "GDSSM_AUTH": "on",  # with a key that may not unload the models
        "GDSSM_REQUEST_TIMEOUT": "5",  # events of an evaluation are streamed for no longer
        "GDSSM_EVALUATION_TIMEOUT": "3",
    }
    key = _key(environment)
    (tmp_path / "schemathesis.toml").write_text(BATCHES)
    with running(**environment) as server:
        command = [str(Path(sys.executable).parent / "schemathesis"), "run", f"{server.url}/openapi.json"]
        options = ["--header", f"Authorization: Bearer {key}", "--exclude-checks", "positive_data_acceptance"]
        options += ["--max-examples", str(EXAMPLES), "--seed", "1", "--no-color"]
        result = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr
    assert "Traceback" not in server.log


def _key(environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", "service", "keys", "create", "fuzzer"]
    made = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    (key,) = [word for word in made.stdout.split() if word.startswith("gdssm_")]
    return key
