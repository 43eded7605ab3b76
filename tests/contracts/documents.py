"""The pages that users read, and the code blocks in them."""

import json
import re
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from tests.running import ROOT

ROOMS = ["benchmarks", "deploy", "examples", "export", "gdssm", "gdssm/evaluation/tables", "service"]
ROOMS += ["service/web", "clients/python", "tests"]
SITE = sorted((ROOT / "docs").glob("*.md"))
TOP = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
PAGES = [*TOP, *SITE, *(ROOT / room / "README.md" for room in ROOMS)]
EXECUTED = [
    *TOP,
    *SITE,
    *(ROOT / room / "README.md" for room in ("deploy", "service", "clients/python", "service/web")),
]
"""Pages whose `sh` and `python` blocks are executed."""
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A code block, and the output under it if there is one."""

    language: str
    code: str
    output: str | None


def blocks(page: Path) -> list[Block]:
    """Find the code blocks of a page; a `text` or `json` block right after a command or program is its output."""
    text = page.read_text(encoding="utf-8")
    found = [*FENCE.finditer(text)]
    return [
        Block(block[1], block[2], _output(text[block.end() : following.start()], following) if following else None)
        for block, following in zip_longest(found, found[1:])
    ]


def _output(between: str, following: re.Match[str]) -> str | None:
    if between.strip() or following[1] not in {"text", "json"}:
        return None
    if following[1] == "json":  # laid out for the reader, and answered without spaces
        return json.dumps(json.loads(following[2]), ensure_ascii=False, separators=(",", ":"))
    return following[2]


def name(page: Path) -> str:
    """Name a page by its path in the repository."""
    return str(page.relative_to(ROOT))
