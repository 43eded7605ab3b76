"""Refuse commit subjects that are longer than 72 characters, or not of the form `type(scope): imperative`."""

import re
import subprocess
import sys

BASE = "749981e"
"""The first commit that is checked is the one after it."""
LIMIT = 72
FORM = re.compile(r"[a-z]+(\([\w,./ -]+\))?!?: \S")


def git(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git, and capture its output."""
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607


def faults(subject: str) -> list[str]:
    """List the rules that a subject breaks."""
    found = [f"has {len(subject)} characters, at most {LIMIT}"] if len(subject) > LIMIT else []
    return found + ([] if FORM.match(subject) else ["is not of the form `type(scope): imperative`"])


def main() -> int:
    """Print each subject that breaks a rule; returns 1 if there is one.

    Of a clone without BASE, such as a shallow one, the last commit is checked; of sources without a history, none.
    """
    known = git("merge-base", "--is-ancestor", BASE, "HEAD").returncode == 0
    log = git("log", "--no-merges", "--format=%h %s", *([f"{BASE}..HEAD"] if known else ["-1"]))
    broken = 0
    for line in log.stdout.splitlines():
        commit, _, subject = line.partition(" ")
        for fault in [] if subject.startswith("Merge ") else faults(subject):
            broken += 1
            print(f"{commit}: {subject!r} {fault}")  # noqa: T201
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
