"""Generate the synchronous client from the asynchronous one; `--check` only compares."""

import re
import subprocess
import sys
from pathlib import Path

CLIENT = Path(__file__).parents[1] / "clients" / "python" / "gdssm_client"
MODULES = {
    "async_client.py": "client.py",
    "async_contexts.py": "contexts.py",
    "async_evaluations.py": "evaluations.py",
    "async_streams.py": "streams.py",
}
REPLACEMENTS = (
    (
        r'"""(.*), for asyncio(?: and trio)?; `\w+` is generated from this module\.',
        r'"""\1; generated from `a-sync` by .ci/sync_client.py.',
    ),
    (r"\basync (def|for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bAsync(Client|Contexts?|Evaluations?|Session|Stream|Iterator)\b", r"\1"),
    (r"\basync_(client|contexts|evaluations|streams)\b", r"\1"),
    (r"\b__a(enter|exit)__\b", r"__\1__"),
    (r"\banyio\b", "time"),
    (r"\bwebsockets\.asyncio\b", "websockets.sync"),
)


def synchronous(source: Path) -> str:
    """Write a module without async and await."""
    text = source.read_text()
    for pattern, replacement in REPLACEMENTS:
        text = re.sub(pattern, replacement, text)
    text = text.replace("a-sync", source.stem, 1)
    for command in (["check", "--quiet", "--fix", "--select", "I,UP028", "--unsafe-fixes"], ["format", "--quiet"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(source), "-"]
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True).stdout  # noqa: S603
    return text


def main(arguments: list[str]) -> int:
    """Generate or compare every module; returns the exit status."""
    texts = {CLIENT / name: synchronous(CLIENT / source) for source, name in MODULES.items()}
    if arguments == ["--check"]:
        different = [path.name for path, text in texts.items() if path.read_text() != text]
        if different:
            print(f"Run .ci/sync_client.py: {', '.join(different)} differ from their sources.")  # noqa: T201
        return int(bool(different))
    for path, text in texts.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
