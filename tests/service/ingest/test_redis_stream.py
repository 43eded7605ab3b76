"""A Redis Stream as a source."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from threading import Event

import pytest

from service.contexts.requests import ContextSpec
from service.errors import InvalidInput, SourceUnavailable
from service.ingest import redis_stream
from service.ingest.columns import EntryColumns
from service.ingest.opening import open_ingester, open_sources
from service.ingest.redis_stream import RedisStream, connect
from service.ingest.source import LogEntry
from service.settings import Settings
from tests.redis import RedisServer
from tests.running import free_port
from tests.service.ingest.streams import readings

NUMBERS = count()


@pytest.fixture
def name() -> str:
    """A stream that is new."""
    return f"stream {next(NUMBERS)}"


@pytest.fixture
def source(redis_server: RedisServer, name: str) -> Iterator[RedisStream]:
    source = RedisStream(connect(redis_server.url), name)
    yield source
    source.close()


def read_all(source: RedisStream, count: int) -> list[LogEntry]:
    found, after = list[LogEntry](), None
    while entries := source.read(after, count):
        found += entries
        after = entries[-1].position
    return found


@pytest.mark.parametrize("count", [1, 2, 100])
def test_entries_are_read_in_order(redis_server: RedisServer, source: RedisStream, count: int) -> None:
    ids = redis_server.add(source.name, *({"a": i, "é": "ü"} for i in range(5)))
    entries = read_all(source, count)
    assert [entry.position for entry in entries] == ids
    assert [entry.fields for entry in entries] == [{"a": str(i), "é": "ü"} for i in range(5)]
    assert source.end() == ids[-1]


def test_a_stream_that_does_not_exist_yet_is_empty(source: RedisStream) -> None:
    assert (source.read(None, 10), source.end(), source.read("1-1", 10)) == ([], None, [])


def test_deleted_and_trimmed_entries_are_passed_over(redis_server: RedisServer, source: RedisStream) -> None:
    ids = redis_server.add(source.name, *({"a": i} for i in range(5)))
    redis_server.client.xdel(source.name, ids[2])
    assert [entry.position for entry in source.read(ids[1], 10)] == ids[3:]
    redis_server.client.xtrim(source.name, maxlen=1, approximate=False)
    assert [entry.position for entry in source.read(ids[1], 10)] == ids[4:]


def test_ids_are_compared_as_numbers(redis_server: RedisServer, source: RedisStream) -> None:
    for position in ("5-9", "5-10", "10-0", "18446744073709551615-18446744073709551615"):
        redis_server.client.xadd(source.name, {"a": 1}, id=position)
    assert [entry.position for entry in source.read("5-9", 10)][:2] == ["5-10", "10-0"]
    assert source.read("18446744073709551615-18446744073709551615", 10) == []


def test_bytes_that_are_not_utf8_are_a_problem(redis_server: RedisServer, source: RedisStream) -> None:
    redis_server.client.xadd(source.name, {b"a": b"\xff"})
    redis_server.client.xadd(source.name, {b"\xff": b"1"})
    assert [entry.problem for entry in source.read(None, 10)] == ["is not UTF-8."] * 2


def test_members_of_a_payload_are_fields(redis_server: RedisServer, name: str) -> None:
    (source,) = open_sources(redis_server.url, [name], "data")
    redis_server.add(name, {"device": "d1", "data": '{"temp": 1.5, "on": true}'}, {"device": "d2"}, {"data": "[1]"})
    redis_server.add(name, {"data": "{"})
    first, *bad = source.read(None, 10)
    source.close()
    assert first.fields == {"device": "d1", "temp": 1.5, "on": True}
    assert [entry.problem for entry in bad] == [
        "has no field 'data'.",
        "is not a JSON object.",
        "is not valid JSON.",
    ]


def test_large_entries_are_read_few_at_a_time(
    redis_server: RedisServer, source: RedisStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_stream, "BYTES_LIMIT", 1000)
    ids = redis_server.add(source.name, *({"a": "x" * 600} for _ in range(200)))
    found = [len(source.read(None, 100)) for _ in range(8)]
    assert found[0] == redis_stream.FIRST_COUNT
    assert found[-1] <= 2
    assert [entry.position for entry in read_all(source, 100)] == ids


def test_a_key_of_another_type_is_refused(redis_server: RedisServer, source: RedisStream) -> None:
    redis_server.client.set(source.name, "text")
    with pytest.raises(InvalidInput, match="Name a stream"):
        source.read(None, 10)


def test_a_server_that_is_gone_is_unavailable() -> None:
    source = RedisStream(connect(f"redis://:secret@127.0.0.1:{free_port()}/0"), "readings")
    with pytest.raises(SourceUnavailable) as failure:
        source.read(None, 10)
    assert "secret" not in str(failure.value)


@pytest.mark.slow
def test_a_wrong_password_is_refused_and_not_shown(redis_server: RedisServer) -> None:
    address = redis_server.url.replace("redis://", "redis://user:secret@")
    source = RedisStream(connect(address), "readings")
    with pytest.raises(InvalidInput, match="refused by Redis") as failure:
        source.read(None, 10)
    assert "secret" not in str(failure.value)


@pytest.mark.parametrize("url", ["redis://host:port/0", "redis://:secret@[::1", "redis://h:1:2/secret"])
def test_a_malformed_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(InvalidInput) as failure:
        open_sources(url, ["readings"])
    assert "secret" not in str(failure.value)


@pytest.mark.parametrize(
    ("url", "streams"),
    [("redis://localhost/0", []), ("rows.ndjson", ["a"]), ("kafka://host/topic", ["a"])],
)
def test_an_address_that_does_not_fit_its_streams_is_refused(url: str, streams: list[str]) -> None:
    with pytest.raises(InvalidInput):
        open_sources(url, streams)


def test_a_stream_that_ends_before_the_offset_is_reported_once(
    redis_server: RedisServer, source: RedisStream, caplog: pytest.LogCaptureFixture
) -> None:
    redis_server.client.xadd(source.name, {"a": 1}, id="5-3")
    for _ in range(2):
        assert source.read("10-0", 10) == []
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "ends at 5-3, before the offset 10-0" in caplog.text


@pytest.mark.slow
def test_a_huge_entry_is_one_bad_entry(redis_server: RedisServer, name: str, tmp_path: Path) -> None:
    rows = readings(0, 20)
    huge = [{**rows[0], "temp": "1" * 2**24}, {**rows[0], "device": "d" * 2**24}]
    redis_server.add(name, *rows[:10], *huge, *rows[10:])
    settings = Settings(database_url=f"sqlite:///{tmp_path}/gdssm.db")
    sources, new = open_sources(redis_server.url, [name]), ContextSpec("linear")
    with open_ingester(settings, sources, EntryColumns("device", "power"), new, from_start=True) as ingester:
        progress = ingester.run(Event(), stop_at_end=True)
    sources[0].close()
    assert (progress.learnt, progress.refused) == (20, 2)
