"""Progress bars are written on a terminal, where the caller asked for them."""

import io
import os
import re
from collections.abc import Iterator
from types import SimpleNamespace

import anyio
import numpy as np
import pytest

from gdssm_client import AsyncClient, Client, batch_body, progress, sessions
from gdssm_client.progress import PART, WIDTH, ProgressBar
from gdssm_client.sklearn import GDSSMRegressor, estimator
from tests.running import Server, running

X = np.arange(40.0).reshape(20, 2) % 7
Y = X @ [1.0, 2.0]
LABELS = re.compile(r"\r(.*?)  \[(#*)-*\] +(\d+)%")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    found = Terminal()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=found))  # pytest sets sys.stderr for each phase
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


def lines(terminal: Terminal) -> list[tuple[str, int]]:
    return [(label, int(percent)) for label, _, percent in LABELS.findall(terminal.getvalue())]


def test_bar_is_written_again_for_each_new_percent(terminal: Terminal) -> None:
    with ProgressBar("Working", 400, shown=True) as bar:
        for done in (1, 2, 200, 201, 400, 500):
            bar.update(done)
    assert lines(terminal) == [("Working", 0), ("Working", 50), ("Working", 100)]
    assert terminal.getvalue().endswith(f"[{'#' * WIDTH}]  100%\n")


def test_nothing_is_written_unless_asked_for_and_on_a_terminal(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ProgressBar("Working", 4, shown=False) as bar:
        bar.update(2)
    assert terminal.getvalue() == ""
    pipe = io.StringIO()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=pipe))
    with ProgressBar("Working", 4, shown=True) as bar:
        bar.update(2)
    assert pipe.getvalue() == ""


def test_no_work_is_complete(terminal: Terminal) -> None:
    with ProgressBar("Working", 0, shown=True) as bar:
        bar.update(1)
    assert lines(terminal) == [("Working", 0), ("Working", 100)]


def test_parts_of_a_body_are_the_body() -> None:
    body = os.urandom(3 * PART + 7)
    assert b"".join(ProgressBar("Sending", len(body), shown=False).parts(body)) == body


def test_rows_of_many_contexts_advance_by_requests(
    server: Server, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_body, "ITEMS_LIMIT", 5)
    with Client(server.url, progress=True) as client:
        client.observe_many(X, Y, names=["progress"] * 20, create={"model": "linear"})
        client.predict_many(X, names=["progress"] * 20)
    quarters = (0, 25, 50, 75, 100)
    assert lines(terminal) == [(label, share) for label in ("Observing", "Predicting") for share in quarters]


def test_client_writes_nothing_by_default(server: Server, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "LONG_BODY", 10)
    with Client(server.url) as client:
        client.observe_many(X, Y, names=["silent"] * 20, create={"model": "linear"})
        client.predict_table([{"a": 1.0, "y": 2.0}, {"a": 2.0, "y": 4.0}, {"a": 3.0}], target="y")
    assert terminal.getvalue() == ""


def test_long_body_advances_while_it_is_sent(
    server: Server, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "LONG_BODY", 2 * PART)
    table = {"a": np.arange(30_000) / 7, "y": np.arange(30_000) / 3}
    query = {"a": [1.0]}
    with Client(server.url, progress=True) as client:
        found = client.predict_table(table, query, target="y", model="linear")
        context = client.contexts.create("linear")
        context.observe(np.arange(40_000.0)[:, None], np.arange(40_000.0))
        context.observe([[1.0]], [1.0])
    assert context.record.n_observations == 40_001
    written = lines(terminal)
    assert [label for label, share in written if share == 100] == ["Sending the table", "Observing"]
    assert len(written) > 6
    assert found.prediction[0] == pytest.approx(7 / 3, rel=1e-3)

    async def again() -> list[float]:
        async with AsyncClient(server.url, progress=True) as client:
            same = await client.predict_table(table, query, target="y", model="linear")
        return list(same.prediction)

    assert anyio.run(again) == found.prediction
    assert [label for label, share in lines(terminal) if share == 100][-1] == "Sending the table"


@pytest.mark.slow
def test_evaluation_advances_by_results(server: Server, terminal: Terminal) -> None:
    table = (np.arange(240.0).reshape(120, 2) % 7, np.arange(120.0))
    with Client(server.url, progress=True) as client:
        record = client.evaluations.submit(["linear"], data=table, tasks=2, observations=5, queries=5, curve=[5]).wait()
    assert record.status == "done"
    written = lines(terminal)
    assert written[0] == ("Evaluating", 0)
    assert written[-1] == ("Evaluating", 100)


def test_estimator_advances_by_requests(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimator, "CALL_NUMBERS", 3 * 10)
    GDSSMRegressor("linear", verbose=True).fit(X, Y).predict(X)
    assert lines(terminal)[:3] == [("Fitting", 0), ("Fitting", 50), ("Fitting", 100)]
    assert lines(terminal)[-1] == ("Predicting", 100)
    terminal.truncate(0)
    GDSSMRegressor("linear").fit(X, Y).predict(X)
    assert "Fitting" not in terminal.getvalue()
