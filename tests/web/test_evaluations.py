"""Evaluations: started, watched to their end, cancelled, compared; own tables; keys and streams that break off."""

import json
import re
import shlex
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from service.commands.eval import command as eval_command
from tests.running import Server
from tests.web.pages import View, copied, only_with_key, run_python, run_shell, sent

Opened = Callable[..., Page]
Routes = dict[str, Callable[[Route], None]]
NUMBERS = (
    "loss",
    "r2",
    "coverage_90",
    "interval_score_90",
    "relative_prediction_difference",
    "sensitivity_cosine",
)


@pytest.fixture
def evaluations(opened: Opened) -> View:
    return View(opened("evaluations", refusals=True), "evaluations")


def evaluate_tables(opened: Opened) -> tuple[View, dict[str, Any]]:
    """From the settings to the end of an evaluation; returns the page and the request."""
    view = View(opened("evaluations"), "evaluations")
    view.host.get_by_text("Tables", exact=True).click()
    view.control("tasks").fill("2")
    with view.page.expect_request(lambda request: request.method == "POST") as asked:
        view.control("start").click()
    expect(view.part("progress-words")).to_contain_text(re.compile(r"Done: \d+ results in \d"), timeout=120_000)
    return view, sent(asked.value)


def row(view: View, learner: str) -> Locator:
    return view.part("scores").locator("tr").filter(has=view.page.get_by_role("rowheader", name=learner, exact=True))


@pytest.mark.slow
def test_a_finished_evaluation_shows_the_numbers_of_the_service(opened: Opened, server: Server) -> None:
    view, body = evaluate_tables(opened)
    assert body["models"] == ["nonlinear", "linear", "gd-8", "gd-1"]
    assert (body["suite"], body["tasks"], body["queries"], body["observations"]) == ("tables", 2, 4, 10)

    kept = httpx.get(f"{server.url}/v1/evaluations/{view.part('shown').input_value()}").json()["results"]
    name = kept[0]["distribution"]
    own = [score for score in kept if score["distribution"] == name]
    shown = (
        view.part("scores")
        .locator("tr")
        .evaluate_all(
            "rows => rows.map((row) => [...row.querySelectorAll('data')].map(({value}) => value && Number(value)))"
        )
    )
    assert shown == [[mean_of(score[measure]) for measure in NUMBERS] for score in own]
    assert {score["learner"] for score in own if score["coverage_90"]} == {"linear", "nonlinear"}
    losses = [score["loss"]["mean"] for score in own]
    best = own[losses.index(min(losses))]["learner"]
    expect(row(view, best).locator("td").first).to_have_class("best")
    expect(view.part("scores").locator("td:nth-child(2).best")).to_have_count(1)
    expect(view.part("cancel")).to_be_hidden()
    expect(view.part("result")).to_contain_text(
        re.compile(rf"The best model is \S+ on \d.*On {name}, \S+ has a loss of")
    )
    difference = view.host.get_by_role("columnheader", name="Prediction difference")
    expect(difference).to_be_hidden()
    view.host.get_by_role("button", name="Compare with gradient descent").press("Enter")
    expect(difference).to_be_visible()
    expect(view.part("unfold")).to_have_attribute("aria-expanded", "true")

    printed = run_python(copied(view, "python")).splitlines()
    assert printed == [f"{score['distribution']} {score['learner']} {score['r2']['mean']!r}" for score in kept]
    assert json.loads(run_shell(copied(view, "curl")))["results"] == kept

    canvas, frame = view.host.locator("canvas"), view.part("curves")
    expect(canvas).to_have_attribute("aria-label", re.compile(rf"Learning curves on {name}: .*\blinear from .* to "))
    before = picture(frame)
    view.part("legend").get_by_role("button", name="linear", exact=True).click()
    expect(canvas).not_to_have_attribute("aria-label", re.compile(r"\blinear from"))
    assert picture(frame) != before
    view.page.reload()  # the newest is then one that the copied calls asked for
    expect(view.part("shown").locator("option:checked")).to_contain_text(" · tables · seed 0, 2 tasks · ")
    view.part("compared").select_option(index=1)
    expect(view.part("compared-about")).to_have_text("Dashed: the evaluation compared with.")
    expect(canvas).to_have_attribute("aria-label", re.compile("gd-8, compared from"))


def mean_of(interval: dict[str, float] | None) -> float | str:
    """As the page keeps it."""
    return interval["mean"] if interval else ""


def picture(frame: Locator) -> str:
    drawn: str = frame.locator("canvas").evaluate("canvas => canvas.toDataURL()")
    return drawn


def test_evaluation_shows_progress_can_be_cancelled_and_gives_reasons_of_refusals(evaluations: View) -> None:
    view = evaluations
    expect(view.host.get_by_label("Practical", exact=True)).to_be_checked()
    for suite in ("Practical", "Tables"):
        view.host.get_by_text(suite, exact=True).click()
        expect(view.part("models").get_by_label("sine-trained")).to_have_count(0)
        expect(view.part("models").get_by_label("linear-trained")).to_have_count(1)
        expect(view.host.locator("code").last).to_contain_text(f'suite="{suite.lower()}"')
    view.host.get_by_text("Paper", exact=True).click()
    view.part("models").get_by_label("sine-trained").check()
    view.control("seed").fill("7")
    expect(view.host.locator("code").last).to_contain_text("seed=7")
    view.control("start").click()
    expect(row(view, "sine-trained").locator(".refused")).to_contain_text("x: needs the shape", timeout=120_000)
    expect(view.part("progress-words")).to_contain_text(re.compile(r"[1-9]\d* of 96 results"))
    assert float(view.part("bar").evaluate("bar => bar.position")) > 0
    view.part("cancel").click()
    expect(view.part("progress-words")).to_contain_text(re.compile(r"Cancelled after [1-9]\d* of 96 results"))
    expect(view.part("shown").locator("option:checked")).to_contain_text("cancelled")
    expect(view.part("cancel")).to_be_hidden()


def test_errors_are_shown_in_place(evaluations: View) -> None:
    view = evaluations
    problem = view.part("problem")
    boxes = view.part("models").get_by_role("checkbox")
    for i in range(boxes.count()):
        boxes.nth(i).uncheck()
    view.control("start").click()
    expect(problem).to_contain_text("No model is chosen.")
    boxes.first.check()
    view.control("tasks").fill("5000")
    view.page.route("**/v1/evaluations", refused)
    view.control("start").click()
    expect(problem).to_have_text("10 evaluations are queued. Wait.")


def refused(route: Route) -> None:
    route.fulfill(status=429, json={"error": "10 evaluations are queued. Wait.", "error_type": "quota_exceeded"})


RECORD = {"id": "e", "status": "running", "suite": "paper", "models": [{"name": "linear"}], "seed": 0, "done": 1}
RECORD |= {"total": 2, "reason": None, "created": "2026-01-01T00:00:00Z", "finished": None}
RECORD["sizes"] = {"tasks": 5, "queries": 4, "observations": 3, "curve": [1, 2]}
ENDED = RECORD | {"status": "done", "done": 2, "finished": "2026-01-01T00:00:02Z"}


def score(learner: str, mean: float = 0.5) -> dict[str, Any]:
    interval = {"mean": mean, "low": mean / 2, "high": 2 * mean}
    points = [{"observations": n, "loss": interval} for n in (1, 2)]
    measures = dict.fromkeys(NUMBERS, interval)
    return {"distribution": "linear", "learner": learner, "refused": None, "curve": points, **measures}


def ended_with(*scores: dict[str, Any]) -> Routes:
    """Answer as a service with one evaluation that has ended."""
    sent = [*(("result", str(i), one) for i, one in enumerate(scores, 1)), ("end", None, ENDED)]
    return {
        "**/v1/evaluations?*": lambda route: route.fulfill(json={"evaluations": [ENDED], "after": None}),
        "**/v1/evaluations/e/events": lambda route: route.fulfill(content_type="text/event-stream", body=events(*sent)),
    }


def test_axis_is_capped_visibly_where_the_models_end(opened: Opened) -> None:
    routes = ended_with(score("linear"), score("ridge", 1e6), score("least-squares", 1e-9))
    view = View(opened("evaluations", routes=routes), "evaluations")
    expect(view.part("capped")).to_have_text(
        "The axis is capped where the models end: ridge, least-squares leave it, with arrows at its edge."
    )
    view.part("legend").get_by_role("button", name="ridge", exact=True).click()
    expect(view.part("capped")).to_contain_text("end: least-squares leaves it")
    view.part("legend").get_by_role("button", name="least-squares", exact=True).click()
    expect(view.part("capped")).to_be_hidden()


def test_event_stream_resumes_after_a_disconnect_with_the_key(opened: Opened) -> None:
    asked: list[tuple[str | None, str | None]] = []

    def stream(route: Route) -> None:
        headers = route.request.headers
        asked.append((headers.get("authorization"), headers.get("last-event-id")))
        first = ("result", "1", score("linear")), ("progress", None, RECORD)
        second = ("result", "2", score("ridge")), ("end", None, ENDED)
        route.fulfill(content_type="text/event-stream", body=events(*(first if len(asked) == 1 else second)))

    def listed(route: Route) -> None:
        route.fulfill(json={"evaluations": [RECORD], "after": None})

    routes = {"**/v1/**": only_with_key, "**/v1/evaluations?*": listed, "**/v1/evaluations/e/events": stream}
    page = opened("evaluations", refusals=True, routes=routes)
    page.locator("#trouble").get_by_label("Key").fill("secret")
    page.keyboard.press("Enter")
    view = View(page, "evaluations")
    expect(view.part("progress-words")).to_have_text("Done: 2 results in 2.0 s")
    expect(view.part("scores").locator("tr")).to_have_count(2)
    assert asked == [("Bearer secret", None), ("Bearer secret", "1")]
    expect(view.host.locator("code").last).to_contain_text('api_key=os.environ["GDSSM_API_KEY"]')
    view.host.locator("[data-language=command]").click()
    words = shlex.split(view.host.locator("code").last.inner_text().partition("\n")[2].replace("\\\n", ""))
    given = eval_command.make_context("eval", words[2:]).params
    assert (words[:2], given["models"], given["tasks"]) == (
        ["gdssm", "eval"],
        ("nonlinear", "linear", "gd-8", "gd-1"),
        50,
    )


def events(*sent: tuple[str, str | None, object]) -> str:
    """As the service sends them, the last one followed by half an event that the end cuts off."""
    lines = [
        f"event: {event}\r\n{f'id: {number}{chr(13)}{chr(10)}' if number else ''}data: {json.dumps(data)}\r\n\r\n"
        for event, number, data in sent
    ]
    return ": a comment\r\n\r\n" + "".join(lines) + 'event: result\r\ndata: {"half":'
