"""Messages of the page when the service refuses, fails, or requires a key."""

import json
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.web.pages import PRIVATE, View, only_with_key

Opened = Callable[..., Page]
TOO_MUCH = "Too much at once. Try again in 1 second."
OVERLOADED = {"error": TOO_MUCH, "error_type": "overloaded", "detail": None}


def test_error_message_of_the_service_is_shown_until_it_answers_again(opened: Opened) -> None:
    curve = View(opened("curve", refusals=True), "curve")
    before = curve.number("prediction")
    curve.page.route("**/v1/predict", lambda route: route.fulfill(status=503, json=OVERLOADED))
    curve.place(0.2, 0.1)
    expect(curve.part("problem")).to_have_text(TOO_MUCH)
    curve.page.unroute("**/v1/predict")
    curve.place(0.25, 0.1)
    curve.changes("prediction", before)
    expect(curve.part("problem")).to_be_hidden()
    curve.page.route("**/v1/predict", lambda route: route.abort())
    curve.place(0.6, 0.1)
    expect(curve.part("problem")).to_contain_text("The service does not answer")


def test_key_is_requested_stored_in_the_tab_and_never_shown_in_a_call(opened: Opened) -> None:
    page = opened("curve", refusals=True, routes={"**/v1/**": only_with_key})
    trouble = page.locator("#trouble")
    expect(trouble.locator("[data-part=problem]")).to_have_text(PRIVATE)
    trouble.get_by_label("Key").fill("secret")
    page.keyboard.press("Enter")
    curve = View(page, "curve")
    curve.number("prediction")
    expect(trouble).to_be_hidden()
    curve.host.locator("[data-language=curl]").click()
    expect(curve.host.locator("code").last).to_contain_text("Bearer $GDSSM_API_KEY")
    stored = page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")
    assert json.loads(stored) == [{"gdssm.key": "secret"}, {}]
