"""What a visitor does and sees, in the words of the tests."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FloatRect, Locator, Page, Request, Route, expect

NEEDS_KEY = "This needs a key. Send it."
PRIVATE = "This service is private. Ask whoever runs it for a key."  # words: allow


NEXT_WORDS = """button => new Promise((done) => {
    new MutationObserver(() => done(button.textContent)).observe(button, { childList: true });
    button.click(); })"""
"""What a button says as soon as it says something else after a click, however soon it takes that back."""


class View:
    """One view of an open page."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self.host = page.locator(f"#{name}")
        self.points = self.host.locator(".point")

    def part(self, name: str) -> Locator:
        return self.host.locator(f"[data-part={name}]")

    def control(self, name: str) -> Locator:
        return self.host.locator(f"[name={name}]")

    def number(self, part: str) -> float:
        """The exact number that a part of the page shows, once there is one."""
        expect(self.part(part)).to_have_attribute("value", re.compile(r"\d"))
        return float(self.part(part).get_attribute("value") or "")

    def changes(self, part: str, before: float) -> float:
        """Wait until a part of the page shows another number."""
        expect(self.part(part)).not_to_have_attribute("value", written(before))
        return self.number(part)

    def place(self, across: float, down: float) -> None:
        """Click into the plot, at shares of its width and height."""
        box = self.box()
        self.page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])

    def box(self) -> FloatRect:
        return box_of(self.host.locator(".frame svg"))

    def picture(self) -> str:
        picture: str = self.host.locator(".frame canvas").evaluate("canvas => canvas.toDataURL()")
        return picture

    def wait_for_another_picture(self, before: str) -> None:
        """Wait until something else is painted; fails after the time limit of the page."""
        canvas = self.host.locator(".frame canvas").element_handle()
        self.host.page.wait_for_function("([canvas, before]) => canvas.toDataURL() !== before", arg=[canvas, before])


def upload(table: View, path: Path) -> None:
    """Choose a file."""
    expect(table.part("drop")).to_be_visible()
    table.control("file").set_input_files(path)


def box_of(locator: Locator) -> FloatRect:
    box = locator.bounding_box()
    assert box is not None
    return box


def sent(request: Request) -> dict[str, Any]:
    """The body that was sent."""
    body: dict[str, Any] = request.post_data_json or {}
    return body


def written(number: float) -> str:
    """A number as JavaScript writes it."""
    return repr(number).removesuffix(".0")


def copied(view: View, language: str) -> str:
    """A call of the page, through the clipboard."""
    view.host.locator(f"[data-language={language}]").click()
    assert view.part("copy").evaluate(NEXT_WORDS) == "Copied"
    text: str = view.page.evaluate("navigator.clipboard.readText()")
    return text


def run_javascript(code: str) -> str:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    return run(node, "--input-type=module", "--eval", code)


def run_python(code: str) -> str:
    return run(sys.executable, "-c", code)


def run_shell(code: str, folder: Path | None = None) -> str:
    """Run commands in a folder, with the programs of this environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return run("env", f"PATH={path}", "bash", "-euo", "pipefail", "-c", code, folder=folder)


def run(*command: str, folder: Path | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def only_with_key(route: Route) -> None:
    """Answer as a service that has keys, of which `secret` is one."""
    if route.request.headers.get("authorization") == "Bearer secret":
        route.fallback()
    else:
        route.fulfill(status=401, json={"error": NEEDS_KEY, "error_type": "unauthenticated", "detail": None})
