"""The playground in a real browser: Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, ViewportSize, expect, sync_playwright

from tests.running import Server, running

FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
FLAGS += " --disable-component-update --disable-sync"
REFUSED = "Failed to load resource"
"""The browser's own console message for a status of 400 and above."""

TIMEOUT_MS = 30_000
"""Milliseconds until a wait of a test fails: a busy machine takes seconds for steps of milliseconds."""

DESK: ViewportSize = {"width": 1280, "height": 720}

Opened = Callable[..., Page]
Routes = dict[str, Callable[[Route], None]]


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


# Playwright keeps an event loop running in this thread: it ends with this package, before other tests start theirs.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        expect.set_options(timeout=TIMEOUT_MS)
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def tab(browser: Browser, server: Server) -> Iterator[Page]:
    """One tab for all tests: a new one takes longer to open than most of them take."""
    with browser.new_context(base_url=server.url, permissions=["clipboard-read", "clipboard-write"]) as context:
        tab = context.new_page()
        tab.set_default_timeout(TIMEOUT_MS)
        yield tab


@pytest.fixture
def opened(tab: Page, server: Server) -> Iterator[Opened]:
    """Open a view again; at the end there must be no errors in it and no requests to other hosts."""
    wrong: list[str] = []
    asked: list[str] = []
    forgiven: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            wrong.append(message.text)

    listeners: dict[Any, Callable[[Any], None]] = {
        "console": note,
        "pageerror": lambda error: wrong.append(str(error)),
        "request": lambda request: asked.append(request.url),
    }

    def open_view(
        view: str = "curve", *, refusals: bool = False, size: ViewportSize = DESK, routes: Routes | None = None
    ) -> Page:
        if refusals:
            forgiven.append(REFUSED)
        for pattern, answer in (routes or {}).items():  # before the page asks its first question
            tab.route(pattern, answer)
        tab.set_viewport_size(size)
        tab.goto(f"/#{view}")
        return tab

    for event, listener in listeners.items():
        tab.on(event, listener)
    yield open_view
    tab.evaluate("sessionStorage.clear()")
    tab.unroute_all(behavior="wait")
    tab.emulate_media(color_scheme="light", reduced_motion="no-preference")
    tab.goto("about:blank")  # not from one view to the next, which would keep the page
    for event, listener in listeners.items():
        tab.remove_listener(event, listener)
    assert [message for message in wrong if not message.startswith(tuple(forgiven))] == []
    assert [url for url in asked if not url.startswith((f"{server.url}/", "data:", "about:"))] == []
