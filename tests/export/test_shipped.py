"""The files that ship answer as the code does, found out without exporting them again."""

from pathlib import Path

import pytest

from export.verify import verify
from export.zoo import ENTRIES, Entry
from tests.properties.backends import ZOO

BY_EVIDENCE = [entry for entry in ENTRIES if entry.file in {"linear.onnx", "nonlinear.onnx", "classifier.onnx"}]


@pytest.mark.slow
@pytest.mark.parametrize("entry", BY_EVIDENCE, ids=lambda entry: entry.name)
def test_a_file_that_ships_answers_as_the_code_does(entry: Entry, tmp_path: Path) -> None:
    path = tmp_path / entry.file
    path.write_bytes((ZOO / entry.file).read_bytes())
    verify(path, entry.make())
    assert path.exists()
