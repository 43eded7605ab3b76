"""A database is up while it answers, and down after a failed check or a long silence."""

from pathlib import Path

from service.store.availability import SILENCE_LIMIT, Availability
from service.store.database import Database


def test_an_open_database_is_up_until_it_is_silent(tmp_path: Path) -> None:
    now = 0.0
    database = Database.open(f"sqlite:///{tmp_path}/gdssm.db")
    availability = Availability(database, lambda: now)
    assert availability.is_up()
    now = SILENCE_LIMIT
    assert not availability.is_up()
    availability.check()
    assert availability.is_up()
    (tmp_path / "gdssm.db").unlink()
    availability.check()
    assert not availability.is_up()
    database.close()
