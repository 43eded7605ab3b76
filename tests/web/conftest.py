"""The playground in a real browser: Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.running import Server, running

FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
FLAGS += " --disable-component-update --disable-sync"
REFUSED = "Failed to load resource"
"""What the browser itself writes to its console about an answer of 400 and above."""

Opened = Callable[..., Page]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed: apt-get install chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Browser, server: Server) -> Iterator[Opened]:
    """Open a view; afterwards nothing may have gone wrong in it, and nobody else may have been asked."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []
    asked: list[str] = []
    forgiven: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            wrong.append(message.text)

    def open_view(view: str = "curve", *, refusals: bool = False, **options: object) -> Page:
        context = browser.new_context(base_url=server.url, **options)  # type: ignore[arg-type]
        contexts.append(context)
        if refusals:
            forgiven.append(REFUSED)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", note)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"/#{view}")
        return page

    yield open_view
    for context in contexts:
        context.close()
    assert [message for message in wrong if not message.startswith(tuple(forgiven))] == []
    assert [url for url in asked if not url.startswith((f"{server.url}/", "data:"))] == []
