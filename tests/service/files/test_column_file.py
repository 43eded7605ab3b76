from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from service.errors import InvalidInput
from service.files.column_file import open_column

NUMBERS = [0.1 + 0.2, 1e-300, -2.0, 5.0]


def write(out: Path | None) -> None:
    with open_column(out, "price, net") as column:
        column.write(np.array(NUMBERS[:3]))
        column.write(np.array(NUMBERS[3:]))


def test_csv_is_written_in_full_precision(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "p.csv")
    write(None)
    header, *lines = (tmp_path / "p.csv").read_text().splitlines()
    assert header == '"price, net"'
    assert list(map(float, lines)) == NUMBERS
    assert capsys.readouterr().out == (tmp_path / "p.csv").read_text()


def test_parquet_is_written_by_its_suffix(tmp_path: Path) -> None:
    write(tmp_path / "p.parquet")
    assert pd.read_parquet(tmp_path / "p.parquet").to_dict("list") == {"price, net": NUMBERS}


@pytest.mark.parametrize("name", ["p.csv", "p.parquet"])
def test_interrupted_write_keeps_the_old_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("before")
    with suppress(KeyboardInterrupt), open_column(tmp_path / name, "y") as column:
        column.write(np.ones(2))
        raise KeyboardInterrupt
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


def test_device_is_written_in_place() -> None:
    write(Path("/dev/null"))
    assert not Path("/dev/null").is_file()


def test_unwritable_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"not/p.csv: cannot be written \(No such file or directory\)"):
        write(tmp_path / "not" / "p.csv")
