import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import anyio
import httpx
import pytest
from starlette.types import ASGIApp

from benchmarks.models import model_file
from benchmarks.processes import stat
from benchmarks.results import Goal
from benchmarks.serving import apps, servers, specs
from benchmarks.serving.run import Grid, ServingMeasurements, goals, report
from benchmarks.serving.servers import Case, Load, Measured, Server, Times, load_of, measure, reference
from benchmarks.serving.specs import CONTROLS, FASTAPI, SIZES, Form, ServerSpec, installed, payload
from service.settings import Settings
from tests.closeness import assert_close
from tests.service.in_process import InProcess, in_process

MODELS = ("gd-1", "linear")
ANSWERING = [spec for spec in (*CONTROLS, *FASTAPI) if spec.name != "bare"]
REPORT = {"requests": 500, "seconds": 2.0, "p50": 0.01, "p99": 0.04, "refused": 0, "broken": 0}


@pytest.fixture(scope="module")
def ours() -> Iterator[InProcess]:
    with in_process(Settings()) as client:
        yield client


@pytest.mark.parametrize("of", MODELS)
@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("kind", ["json", "binary"])
def test_the_service_answers_the_reference(ours: InProcess, of: str, name: str, kind: str) -> None:
    form = specs.GDSSM_JSON if kind == "json" else specs.GDSSM_BINARY
    headers = {"Content-Type": form.content_type, **form.headers}
    answer = ours.request("POST", form.path, content=form.write(payload(name), of), headers=headers)
    assert_close(form.read(answer.content), reference(of, payload(name)), "prediction")


@pytest.mark.slow
@pytest.mark.parametrize("of", MODELS)
@pytest.mark.parametrize("spec", ANSWERING, ids=lambda value: value.name)
def test_controls_and_typical_services_answer_what_the_service_does(
    spec: ServerSpec, of: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_FILE", str(model_file(of)))
    app = getattr(apps, spec.name)()
    for form in spec.forms.values():
        for name in SIZES:
            answer = _post(app, form, form.write(payload(name), of))
            assert_close(form.read(answer.content), reference(of, payload(name)), name)


def test_the_bare_control_answers_whatever_comes() -> None:
    assert _post(apps.bare(), specs.PLAIN, b"anything").status_code == 200


def test_a_payload_is_the_same_every_time_and_keeps_every_digit() -> None:
    body = json.loads(specs.PLAIN.write(payload("M"), "gd-1"))
    assert body["x"] == payload("M").x.tolist()
    assert (len(body["x"]), len(body["x"][0]), len(body["query"])) == SIZES["M"]


def test_the_protocol_names_shapes_of_flat_numbers() -> None:
    x, y, query = json.loads(specs.v2("model").write(payload("S"), "gd-1"))["inputs"]
    assert (x["shape"], y["shape"], query["shape"]) == ([10, 10], [10], [1, 10])
    assert x["data"] == payload("S").x.ravel().tolist()


def test_figures_of_wrk_are_divided_by_its_requests() -> None:
    assert load_of(REPORT, cpu=1.5) == Load(rate=250.0, cpu=0.003, p50=0.01, p99=0.04, invalid="")


@pytest.mark.parametrize(
    ("report", "reason"),
    [({"refused": 3}, "3 answers were no 2xx"), ({"broken": 2}, "2 connections broke"), ({"requests": 0}, "nothing")],
)
def test_a_run_with_refusals_or_broken_connections_does_not_count(report: dict[str, int], reason: str) -> None:
    assert reason in load_of({**REPORT, **report}, cpu=1.0).invalid


def made_up() -> ServingMeasurements:
    """Two rounds of S with 32 connections; in the second, all servers are twice as fast."""
    rates = {"gdssm": 1000.0, "orjson_app": 1500.0, "fastapi_async": 500.0, "litserve": 100.0}
    loads = [
        Measured(
            "gd-1",
            Case(name, "json", "S", 32),
            [Load(rate * speed, 1 / rate, 0.01, 0.02 * speed, "") for speed in (1.0, 2.0)],
        )
        for name, rate in rates.items()
    ]
    counts = {"gdssm": 600.0, "orjson_app": 500.0, "fastapi_async": 1200.0}
    counted = {name: {"json": {"S": [count * 1e3] * 3}} for name, count in counts.items()}
    return ServingMeasurements(loads, {"gd-1": counted}, "callgrind", {"ray": "pip: no such version"})


def by_name(found: ServingMeasurements) -> dict[str, Goal]:
    return {goal.measure: goal for goal in goals(found, ["fastapi_async", "litserve", "ray"])}


def test_ratios_are_taken_round_by_round() -> None:
    goal = by_name(made_up())["S json: our requests/s ÷ litserve's"]
    assert goal.result == "10"
    assert goal.met


def test_instructions_count_where_there_are_some_and_processor_time_elsewhere() -> None:
    found = by_name(made_up())
    assert found["S json: fastapi_async's instructions ÷ ours"].result == "2"
    assert found["S json: litserve's processor time ÷ ours"].result == "10"


def test_counts_are_reported_with_their_spread() -> None:
    found = made_up()
    counted = {**found.counts["gd-1"], "gdssm": {"json": {"S": [600e3, 650e3, 601e3]}}}
    goal = by_name(replace(found, counts={"gd-1": counted}))["S json: instructions ÷ orjson_app's"]
    assert goal.result == "1.2 (1.2–1.3)"


def test_processor_time_compared_with_the_hand_written_server_comes_first() -> None:
    result = report(made_up(), ["fastapi_async"])
    assert [goal.measure for goal in result.goals[:3]] == [
        f"{size} json: processor time ÷ orjson_app's" for size in ("S", "M", "L")
    ]
    assert [(goal.target, goal.result, goal.met) for goal in result.goals[:3]] == [
        ("≤ 1.6", "1.5", True),
        ("≤ 1.2", "", None),
        ("≤ 0.6", "", None),
    ]
    assert result.tables[0].rows == [["target", "≤ 1.6", "≤ 1.2", "≤ 0.6"], ["result", "1.5", "", ""]]
    assert "Instructions per request" in result.tables[1].caption


def test_goals_are_met_not_met_or_not_measured() -> None:
    found = by_name(made_up())
    assert found["S json: instructions ÷ orjson_app's"].met
    assert found["S json: fastapi_async's instructions ÷ ours"].met is False
    assert found["S json: p99 of the latency ÷ its median"].result == "3 (2–4)"
    assert found["S json: our requests/s ÷ ray's"].met is None


def test_the_figure_of_the_fastest_hand_written_application_is_added() -> None:
    found = made_up()
    by_hand = Measured("gd-1", Case("simd_app", "json", "S", 32), [Load(2000.0, 0.0005, 0.01, 0.02, "")] * 2)
    counted = {**found.counts["gd-1"], "simd_app": {"json": {"S": [400e3] * 3}}}
    found = replace(found, loads=[*found.loads, by_hand], counts={"gd-1": counted})
    goals = by_name(found)
    assert goals["S json: instructions ÷ orjson_app's"].result == "1.2; 0.8 by hand"
    assert goals["S json: fastapi_async's instructions ÷ ours"].result == "2; 3 by hand"
    assert goals["S json: litserve's processor time ÷ ours"].result == "10; 20 by hand"
    assert goals["L binary: instructions ÷ binary_app's"].result == ""
    text = report(found, ["litserve"]).markdown()
    assert "| S json: instructions ÷ orjson_app's | ≤ 1.5 | 1.2; 0.8 by hand | met |" in text


def test_an_invalid_round_is_left_out_of_every_ratio_and_reported() -> None:
    found = made_up()
    ours = found.loads[0]
    ours.rounds[0] = replace(ours.rounds[0], rate=1e9, invalid="5 answers were no 2xx")
    assert by_name(found)["S json: our requests/s ÷ litserve's"].result == "10"
    text = report(found, ["litserve"]).markdown()
    assert "| one round of gdssm, json, S, 32 connections, gd-1 | 5 answers were no 2xx |" in text


def test_the_report_has_verdicts_and_missing_servers() -> None:
    text = report(made_up(), ["fastapi_async"]).markdown()
    assert "| S json: instructions ÷ orjson_app's | ≤ 1.5 | 1.2 | met |" in text
    assert "**not met**" in text
    assert "| ray | pip: no such version |" in text


def all_stop(processes: Iterable[int]) -> bool:
    """Return whether processes stand still within a minute: a signal arrives when its process runs next."""
    end, going = time.monotonic() + 60, [*processes]
    while going and time.monotonic() < end:
        going = [process for process in going if stat(process)[0] != "T"]
        time.sleep(0.01 if going else 0)
    return not going


def test_servers_take_turns_and_are_stopped_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[tuple[str, int]] = []
    leaders: dict[str, int] = {}

    def drive(server: Server, kind: str, name: str, connections: int, _: float) -> Load:
        turns.append((server.spec.name, connections))
        leaders[server.spec.name] = server.process.pid
        assert all_stop(leader for name, leader in leaders.items() if name != server.spec.name)
        assert stat(server.process.pid)[0] != "T"
        assert server.ask(kind, name).shape == (1,)
        return Load(10.0, 0.1, 0.1, 0.1, "")

    monkeypatch.setattr(servers, "drive", drive)
    both = {spec.name: spec for spec in CONTROLS[:2]}
    cases = [Case(name, "json", "S", connections) for name in both for connections in (32, 128)]
    found = measure(both, "gd-1", cases, Times(rounds=2, seconds=0.01), {})
    warming = [("bare", 1), ("bare", 32), ("orjson_app", 1), ("orjson_app", 32)]
    assert turns == [*warming, ("bare", 32), ("orjson_app", 32)]
    too_many = "each of 128 requests would wait 13 s for the others"
    assert [[run.invalid for run in measured.rounds] for measured in found] == [["", ""], [too_many] * 2] * 2


def test_heavy_servers_are_measured_with_fewer_payloads() -> None:
    grid = Grid(payloads=("S", "M"), heavy_payloads=("S",), connections=(1, 32))
    cases = grid.cases([FASTAPI[0]], [FASTAPI[1]])
    assert [case.payload for case in cases if case.server == "fastapi_sync"] == ["S", "S"]
    assert len(cases) == 6


@pytest.mark.slow
def test_a_peer_that_cannot_be_installed_is_skipped_with_the_reason(tmp_path: Path) -> None:
    requirements = tmp_path / "absent" / "requirements.txt"
    requirements.parent.mkdir()
    requirements.write_text("./no-such-package\n")
    skipped: dict[str, str] = {}
    peer = ServerSpec("absent", (), {}, requirements=requirements)
    assert installed([peer], skipped, tmp_path / "cache") == []
    assert "no-such-package" in skipped["absent"]


def _post(app: ASGIApp, form: Form, body: bytes) -> httpx.Response:
    async def post() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
            return await client.post(form.path, content=body, headers={"Content-Type": form.content_type})

    return anyio.run(post)
