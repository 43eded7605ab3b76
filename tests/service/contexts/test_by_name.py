"""Contexts by their callers' names: one for each, and free again when it has expired."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from service.contexts.records import Amendment
from service.contexts.requests import ContextSpec
from service.contexts.service import ContextService
from service.errors import Conflict, InvalidInput, NameTaken
from service.store.database import Database
from tests.service.kept import OTHER_OWNER, OWNER, Clock, draw
from tests.service.replicas import replicas_on

NAMES = [
    "sensor 7",
    "x",
    "Größe 🌡️",
    "a/b",
    "%2F",
    "100%",
    "by-name",
    "state",
    " ",
    "'; DROP TABLE contexts; --",
    "é" * 200,
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_context_is_found_by_its_name(contexts: ContextService, name: str) -> None:
    made, is_new = contexts.create_or_return(OWNER, name, ContextSpec(labels={"site": "berlin"}))
    assert is_new
    assert (made.name, made.labels) == (name, {"site": "berlin"})
    contexts.observe(OWNER, made.id, draw(1))
    again, is_new = contexts.create_or_return(OWNER, name)
    assert not is_new
    assert (again.id, again.version, again.labels) == (made.id, 2, {"site": "berlin"})
    assert contexts.get_named(OWNER, name) == contexts.get(OWNER, made.id)


REFUSED = ["", ".", "..", "a\nb", "\0", "é" * 201, "\ufffd", "\u2028", "\x85"]


@pytest.mark.parametrize("name", [*REFUSED, chr(0xD800)], ids=ascii)
def test_a_name_that_is_not_allowed_is_refused(contexts: ContextService, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"^name: must be 1 to 200 characters"):
        contexts.create(OWNER, ContextSpec(name=name))
    assert contexts.list(OWNER, 10).contexts == ()


def test_a_name_is_unique_for_its_owner(contexts: ContextService) -> None:
    first = contexts.create(OWNER, ContextSpec(name="a"))
    with pytest.raises(NameTaken, match="named 'a'"):
        contexts.create(OWNER, ContextSpec(name="a"))
    other = contexts.create(OTHER_OWNER, ContextSpec(name="a"))
    assert contexts.get_named(OWNER, "a") == first
    assert contexts.get_named(OTHER_OWNER, "a") == other
    contexts.delete(OWNER, first.id)
    assert contexts.create(OWNER, ContextSpec(name="a")).id != first.id


def test_the_name_of_an_expired_context_is_free(contexts: ContextService, clock: Clock) -> None:
    first = contexts.create(OWNER, ContextSpec(name="a", ttl=10))
    clock.now += 11
    assert contexts.find_named(OWNER, "a") is None
    second, is_new = contexts.create_or_return(OWNER, "a")
    assert is_new
    assert second.id != first.id


def test_one_of_many_at_once_creates_the_context(contexts: ContextService) -> None:
    with ThreadPoolExecutor(8) as pool:
        results = [
            *pool.map(lambda _: contexts.create_or_return(OWNER, "a", ContextSpec(labels={"k": "v"})), range(24))
        ]
    assert len({record.id for record, _ in results}) == 1
    assert sum(is_new for _, is_new in results) == 1
    assert len(contexts.list(OWNER, 10).contexts) == 1


def test_what_is_fixed_must_be_the_same(contexts: ContextService) -> None:
    made, _ = contexts.create_or_return(OWNER, "a", ContextSpec("linear", decay=0.5))
    assert contexts.create_or_return(OWNER, "a", ContextSpec("linear", decay=0.5)) == (made, False)
    with pytest.raises(Conflict, match=r"has model linear, not gd-1 and decay 0\.5, not 0\.9\. Leave this out"):
        contexts.create_or_return(OWNER, "a", ContextSpec("gd-1", decay=0.9))
    with pytest.raises(Conflict, match=r"has model version 2\.0\.0, not 1\.0\.0\."):
        contexts.create_or_return(OWNER, "a", ContextSpec(version="1.0.0"))


def test_labels_and_ttl_are_updated(contexts: ContextService) -> None:
    made, _ = contexts.create_or_return(OWNER, "a", ContextSpec(labels={"site": "berlin"}))
    after, _ = contexts.create_or_return(OWNER, "a", ContextSpec(labels={"site": "chur", "floor": "2"}, ttl=77))
    assert (after.version, after.ttl, after.labels) == (made.version + 1, 77, {"site": "chur", "floor": "2"})
    assert contexts.view(OWNER, made.id).record == after
    assert contexts.list(OWNER, 10, labels=[("site", "berlin")]).contexts == ()
    assert [found.id for found in contexts.list(OWNER, 10, labels=[("floor", "2")]).contexts] == [made.id]


def test_a_context_is_renamed(contexts: ContextService) -> None:
    made = contexts.create(OWNER, ContextSpec(name="a"))
    contexts.create(OWNER, ContextSpec(name="b"))
    with pytest.raises(NameTaken):
        contexts.amend(OWNER, made.id, Amendment(name="b"))
    after = contexts.amend(OWNER, made.id, Amendment(name="c"))
    assert contexts.get_named(OWNER, "c") == after
    assert contexts.find_named(OWNER, "a") is None
    assert contexts.amend(OWNER, made.id, Amendment(name="c")) == after


def test_ids_are_found_by_many_names(contexts: ContextService, database: Database, clock: Clock) -> None:
    made = {name: contexts.create(OWNER, ContextSpec(name=name)).id for name in NAMES}
    contexts.create(OTHER_OWNER, ContextSpec(name="other"))
    contexts.create(OWNER, ContextSpec(name="over", ttl=10))
    clock.now += 11
    wanted = [*NAMES, *NAMES, "other", "over", *(f"unknown {number}" for number in range(2000))]
    with database.reading() as connection:
        assert contexts.repository.ids_of_names(connection, OWNER, wanted) == made
        assert contexts.repository.ids_of_names(connection, OWNER, []) == {}


@pytest.mark.slow
def test_one_of_many_requests_to_two_replicas_creates_the_context(database_url: str) -> None:
    with replicas_on(database_url) as replicas, httpx.Client(timeout=30) as client:

        def put(number: int) -> tuple[int, int, str]:
            address = f"{replicas[number % 2].url}/v1/contexts/by-name/{number // 8}"
            answer = client.put(address, json={"model": "linear", "labels": {"number": str(number // 8)}})
            return number // 8, answer.status_code, answer.json()["id"]

        with ThreadPoolExecutor(8) as pool:
            answers = [*pool.map(put, range(80))]
        listed = client.get(f"{replicas[0].url}/v1/contexts").json()["contexts"]
    assert sorted(status for _, status, _ in answers) == [200] * 70 + [201] * 10
    assert {(int(context["name"]), context["id"]) for context in listed} == {
        (name, found) for name, _, found in answers
    }
    assert len(listed) == 10
