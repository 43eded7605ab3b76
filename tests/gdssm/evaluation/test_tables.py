from pathlib import Path

import pytest

from gdssm.evaluation.tables.write import main
from gdssm.evaluation.tasks.tables import DIRECTORY


def test_the_files_that_ship_are_those_that_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in DIRECTORY.glob("*.csv")}
    assert len(capsys.readouterr().out.splitlines()) == len(written)
