"""Refuse words that `.ci/words.txt` lists, in tracked sources and documents; `words.py PATH …` looks at those only."""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SUFFIXES = {".py", ".md", ".html", ".js", ".css", ".jinja", ".toml", ".yml"}
LEFT_OUT = ("CHANGELOG.md", "constraints", "service/store/migrations/versions/", "service/web/dist/")


def main(paths: list[str]) -> int:
    """Print each line that has such a word, and count them."""
    entries = [line for line in (HERE / "words.txt").read_text().splitlines() if line and not line.startswith("#")]
    rules = [
        (re.compile(expression, 0 if re.search(r"(?<!\\)[A-Z]", expression) else re.IGNORECASE), advice)
        for expression, advice in (re.split(r"\s{2,}", entry, maxsplit=1) for entry in entries)
    ]
    tracked = subprocess.run(["git", "ls-files", "--", *paths], capture_output=True, text=True, check=True)  # noqa: S603, S607
    found = 0
    for name in tracked.stdout.split():
        if Path(name).suffix not in SUFFIXES or any(part in name for part in LEFT_OUT):
            continue
        for number, line in enumerate(Path(name).read_text().splitlines(), 1):
            if "words: allow" in line:
                continue
            for rule, advice in rules:
                if match := rule.search(line):
                    found += 1
                    print(f"{name}:{number}: {match[0]!r}: {advice}")  # noqa: T201
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
