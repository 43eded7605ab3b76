"""A SQLite file that is deleted, moved or replaced while it is open is neither read nor written any more."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from service.errors import DatabaseUnavailable
from service.store.database import Database
from service.store.tables import UNLOADED
from tests.service.store.test_database import add, names


def replace_by_another(file: Path) -> None:
    Database.open(f"sqlite:///{file}.other").close()
    Path(f"{file}.other").replace(file)


LOSSES: dict[str, Callable[[Path], object]] = {
    "deleted": Path.unlink,
    "moved": lambda file: file.rename(f"{file}.away"),
    "replaced by another database": replace_by_another,
    "emptied": lambda file: file.write_bytes(b""),
    "its directory deleted": lambda file: shutil.rmtree(file.parent),
    "its directory moved": lambda file: file.parent.rename(f"{file.parent}-away"),
    "its write-ahead log deleted": lambda file: Path(f"{file}-wal").unlink(),
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
def test_nothing_is_written_to_or_read_from_a_file_that_is_gone(tmp_path: Path, lose: Callable[[Path], object]) -> None:
    file = tmp_path / "data" / "gdssm.db"
    file.parent.mkdir()
    database = Database.open(f"sqlite:///{file}")
    with database.transaction() as connection:
        add(connection, "a")
    lose(file)
    left = {path.name for path in tmp_path.rglob("*")}
    version = select(UNLOADED.c.version)
    assert database.read_nonblocking(version, {}) is None
    for use in (database.transaction, database.reading):
        with pytest.raises(DatabaseUnavailable, match="deleted or replaced while the service runs"), use():
            pass
    with pytest.raises(DatabaseUnavailable, match="start the service again"):
        database.write_at_once(lambda connection: add(connection, "b"))
    with pytest.raises(DatabaseUnavailable):
        database.check_file()
    assert {path.name for path in tmp_path.rglob("*")} == left
    database.close()


def test_a_change_during_which_the_file_is_deleted_is_not_acknowledged(tmp_path: Path) -> None:
    file = tmp_path / "gdssm.db"
    database = Database.open(f"sqlite:///{file}")

    def write() -> None:
        with database.transaction() as connection:
            add(connection, "a")
            file.unlink()

    with pytest.raises(DatabaseUnavailable, match="deleted or replaced"):
        write()
    database.close()


def test_a_file_that_is_moved_back_is_used_again(tmp_path: Path) -> None:
    file, away = tmp_path / "gdssm.db", tmp_path / "away.db"
    database = Database.open(f"sqlite:///{file}")
    file.rename(away)
    with pytest.raises(DatabaseUnavailable):
        names(database)
    away.rename(file)
    with database.transaction() as connection:
        add(connection, "a")
    assert names(database) == ["a"]
    assert database.read_nonblocking(select(UNLOADED.c.name), {}) == "a"
    database.close()


def test_a_connection_that_finds_another_file_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "gdssm.db"
    database = Database.open(f"sqlite:///{file}")
    with database.reading():
        file.unlink()
        monkeypatch.setattr(database, "check_file", lambda: None)  # it was there when it was looked for
        with pytest.raises(DatabaseUnavailable, match="deleted or replaced"):
            names(database)
    database.close()


def test_a_link_that_leads_to_another_file_is_noticed(tmp_path: Path) -> None:
    link, one, other = (tmp_path / name for name in ("link.db", "one.db", "other.db"))
    link.symlink_to(one)
    database = Database.open(f"sqlite:///{link}")
    with database.transaction() as connection:
        add(connection, "a")
    Database.open(f"sqlite:///{other}").close()
    link.unlink()
    link.symlink_to(other)
    with pytest.raises(DatabaseUnavailable, match="deleted or replaced"):
        names(database)
    database.close()


def test_other_connections_to_the_file_do_not_matter(tmp_path: Path) -> None:
    ours = Database.open(f"sqlite:///{tmp_path}/gdssm.db")
    for name in "abc":
        theirs = Database.open(f"sqlite:///{tmp_path}/gdssm.db")
        with theirs.transaction() as connection:
            add(connection, name)
        theirs.close()
        assert name in names(ours)
    ours.close()
