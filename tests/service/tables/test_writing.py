"""Tables are written in chunks, complete or not at all."""

from contextlib import suppress
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from service.errors import InvalidInput
from service.tables.writing import open_output

NUMBERS = [0.1 + 0.2, 1e-300, -2.0, 5.0]


def write(out: Path | None) -> None:
    with open_output(out) as writer:
        for numbers in (NUMBERS[:3], NUMBERS[3:]):
            writer.write(pa.record_batch({"price, net": numbers}))


def test_csv_is_written_in_full_precision(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write(tmp_path / "p.csv")
    write(None)
    header, *lines = (tmp_path / "p.csv").read_text().splitlines()
    assert header == '"price, net"'
    assert list(map(float, lines)) == NUMBERS
    assert capfdbinary.readouterr().out == (tmp_path / "p.csv").read_bytes()


def test_cells_are_quoted_where_needed(tmp_path: Path) -> None:
    cells = ["plain", "a,b", 'a "b"', "two\nlines", None, " spaces ", "ü"]
    for row in [cells, ["x"] * len(cells)]:
        with open_output(tmp_path / "t.csv") as writer:
            writer.write(pa.record_batch({"text": row, "flag": pa.array([True, None, False, True, True, True, True])}))
        found = pd.read_csv(tmp_path / "t.csv", keep_default_na=False)
        assert [text or None for text in found["text"]] == row
        assert list(found["flag"].astype(str))[:3] == ["true", "", "false"]


def test_parquet_is_written_by_its_suffix(tmp_path: Path) -> None:
    write(tmp_path / "p.parquet")
    assert pd.read_parquet(tmp_path / "p.parquet").to_dict("list") == {"price, net": NUMBERS}


@pytest.mark.parametrize("name", ["p.csv", "p.parquet", "p.csv.gz", "p.arrow"])
def test_interrupted_write_keeps_the_old_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("before")
    with suppress(KeyboardInterrupt), open_output(tmp_path / name) as writer:
        writer.write(pa.record_batch({"y": [1.0, 2.0]}))
        raise KeyboardInterrupt
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


def test_device_is_written_in_place() -> None:
    write(Path("/dev/null"))
    assert not Path("/dev/null").is_file()


def test_unwritable_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"not/p.csv: cannot be written \(No such file or directory\)"):
        write(tmp_path / "not" / "p.csv")
