"""The page in git is built from its sources, and loads at once over a slow line."""

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.node import TYPESCRIPT, WEB, node, packages
from tests.nonempty import nonempty
from tests.running import Server

REBUILD = "service/web/dist is not built from service/web/src: run make web"
SLOW_LINE = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
"""Milliseconds, bytes per second."""
FIRST_PREDICTION = 2.5
"""Seconds from the start of the navigation."""
ROUNDS = 4
"""Requests that wait for one another: the page, its bundles, the context, the prediction."""


def test_bundle_is_built_from_these_sources() -> None:
    kept = json.loads((WEB / "sources.json").read_text())
    paths = [
        *(path for path in (WEB / "src").rglob("*") if path.is_file()),
        WEB / "build.js",
        WEB / "package-lock.json",
    ]
    found = {str(path.relative_to(WEB)): hashlib.sha256(path.read_bytes()).hexdigest() for path in nonempty(paths)}
    assert found == kept, REBUILD


@pytest.mark.slow
def test_a_new_build_gives_the_same_bundle(tmp_path: Path) -> None:
    packages(WEB)
    subprocess.run([node(), WEB / "build.js", tmp_path / "dist"], check=True, timeout=120)
    built = {
        path.name: path.read_bytes() for path in (tmp_path / "dist").iterdir() if path.suffix not in {".br", ".gz"}
    }
    kept = {path.name: path.read_bytes() for path in (WEB / "dist").iterdir() if path.suffix not in {".br", ".gz"}}
    assert built.keys() == kept.keys(), REBUILD
    assert built == kept, REBUILD


@pytest.mark.parametrize("folder", [WEB, TYPESCRIPT], ids=lambda folder: folder.name)
def test_versions_are_exact_and_locked(folder: Path) -> None:
    wanted = json.loads((folder / "package.json").read_text())
    locked = json.loads((folder / "package-lock.json").read_text())["packages"]
    for name, version in nonempty({**wanted["dependencies"], **wanted["devDependencies"]}.items()):
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
        assert locked[f"node_modules/{name}"]["version"] == version
        assert locked[f"node_modules/{name}"]["integrity"].startswith("sha512-")


@pytest.fixture
def slow(browser: Browser, server: Server) -> Iterator[tuple[Page, dict[str, int]]]:
    """A new browser context over a slow line, and the bytes of each response by its address."""
    with browser.new_context(base_url=server.url, viewport={"width": 1280, "height": 720}) as context:
        page = context.new_page()
        line = context.new_cdp_session(page)
        addresses: dict[str, str] = {}
        sizes: dict[str, int] = {}

        def finished(event: dict[str, Any]) -> None:
            sizes[addresses[event["requestId"]]] = event["encodedDataLength"]

        line.on(
            "Network.requestWillBeSent", lambda event: addresses.update({event["requestId"]: event["request"]["url"]})
        )
        line.on("Network.loadingFinished", finished)
        line.send("Network.enable")
        line.send("Network.emulateNetworkConditions", SLOW_LINE)
        yield page, sizes


def test_first_prediction_comes_at_once_over_a_slow_line(slow: tuple[Page, dict[str, int]]) -> None:
    page, sizes = slow
    page.add_init_script(TIME_OF_PREDICTION)
    page.goto("/", wait_until="commit")
    expect(page.locator("#live[aria-busy] .plot")).to_be_visible()  # the skeleton
    page.wait_for_function("() => window.predicted")
    found = page.evaluate("() => window.predicted")
    names = [re.sub(r"-[A-Z0-9]{8}", "", address.rpartition("/")[2]) for address in sizes]
    assert set(names) <= {"", "style.css", "chunk.js", "main.js", "icon.svg", "contexts", "predictions", "observations"}
    assert len(names) <= 12
    assert sum(sizes.values()) < 60_000
    early = sum(size for address, size in sizes.items() if "observations" not in address)
    assert ROUNDS * SLOW_LINE["latency"] / 1000 + early / SLOW_LINE["downloadThroughput"] <= FIRST_PREDICTION
    if os.getloadavg()[0] < (os.cpu_count() or 1):  # else the machine is measured, and not the page
        assert found / 1000 <= FIRST_PREDICTION


def test_all_views_stay_within_their_bytes(slow: tuple[Page, dict[str, int]]) -> None:
    page, sizes = slow
    page.goto("/#curve")
    expect(page.locator("#curve [data-part=prediction]")).to_have_attribute("value", re.compile(r"\d"))
    assert len(sizes) <= 12
    assert sum(sizes.values()) <= 120_000


TIME_OF_PREDICTION = """new MutationObserver(() => {
    const { value } = document.querySelector("#live [data-part=prediction]") ?? {};
    if (value) window.predicted ??= performance.now();
}).observe(document, { subtree: true, childList: true, attributes: true })"""
