"""File names cannot forge log lines."""

import time
from pathlib import Path

import pytest

from tests.nonempty import nonempty
from tests.running import running

pytestmark = pytest.mark.adversarial

NAME = "x\n2026-01-01 00:00:00,000 ERROR FORGED\x1b[2J.onnx"


@pytest.mark.slow
def test_model_file_names_cannot_forge_log_lines(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"no model")
    with running(GDSSM_MODELS=str(tmp_path), GDSSM_LOG_FORMAT="text") as server:
        deadline = time.monotonic() + 60
        while "FORGED" not in server.log and time.monotonic() < deadline:
            time.sleep(0.05)
        lines = server.log.split("\n")
    assert any("FORGED" in line and "refused" in line for line in lines)
    assert not any(line.startswith("2026-01-01") for line in lines)
    assert all(line.isprintable() for line in nonempty(lines))
