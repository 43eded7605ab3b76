"""What was to be reached, and whether it was: the goals out of every topic's results, as the README shows them."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.table import markdown

TOPICS = ("graph", "held_context", "serving", "start", "scale", "bulk", "training")
"""In the order in which they are measured."""
NOT_MET = "**not met**"

REASONS = {
    "S json: instructions": "Keys, limits, ids, metrics, a log line and an answer of documented form are 3,900 byte "
    "codes of Python around the 80 that read, run and write (benchmarks/README.md has the profile).",
    "M json: instructions": "The same care; reading with a SIMD parser by hand, without any of it, takes 0.54.",
    "L json: instructions": "The SIMD parser alone takes 0.33, by hand with nothing else 0.38; to see that rows have "
    "one width and that no list hides in one is 0.06 more.",
    "L binary: instructions": "The control reads a raw body of its own; ours reads safetensors, whose header names, "
    "types and shapes are checked.",
    "processor time": "Counted by time, in which one request of a small payload is mostly Python.",
    "requests/s": "As the processor time: one core, fully used.",
    "p99": "Waiting requests are answered in turn; two looks a second at models, keys and queues take 3 ms each.",
    "start": "Importing FastAPI, SQLAlchemy, numpy and onnxruntime.",
    "base install on disk": "onnxruntime 71 MB, numpy 76 MB with its libraries, SQLAlchemy 30 MB; 59 MB of all are "
    "compiled files.",
    "within 1.5 times of numpy": "Starting costs 0.17 s more (settings, onnxruntime); the graph also standardises.",
    "held, of the one-shot": "The state is read from the database, in a thread; the one-shot has become fast.",
    "held": "Eight line searches cost the same from a state; only the pass over the observations is saved.",
    "at least 100 times (b)": "The large products of a step alone take 1.2 ms, and each further layer repeats them.",
    "linear in N": "Fixed costs at small sizes and caches at large ones bend the line.",
}
"""Why a goal is not met, by what it says; the first that fits."""


def of(results: Path) -> str:
    """Put the goals of all topics that were measured together, with the reason where one is not met."""
    return "\n".join(_topic(results / f"{topic}.md") for topic in TOPICS if (results / f"{topic}.md").exists())


def _topic(path: Path) -> str:
    text = path.read_text()
    title, measured = text.splitlines()[0].lstrip("# "), text.strip().splitlines()[-1]
    rows = [[*row, _reason(row)] for row in _goals(text.splitlines())]
    return f"**{title}** ([all of it](benchmarks/results/{path.name})). {measured}\n\n{_table(rows)}"


def _table(rows: list[list[str]]) -> str:
    """Lay goals out; what stands between a goal and its verdict differs from topic to topic."""
    narrow = [[goal, " · ".join(filter(None, between)), verdict, why] for goal, *between, verdict, why in rows]
    return markdown(["goal", "of what, bound, measured", "", "why not"], narrow)


def _goals(lines: list[str]) -> Iterator[list[str]]:
    """Find the rows of every table whose header begins with `goal`."""
    inside = False
    for line in lines:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == "goal":
            inside = True
        elif inside and not set(line) <= set("| -"):
            yield cells


def _reason(row: list[str]) -> str:
    if row[-1] != NOT_MET:
        return ""
    return next((reason for words, reason in REASONS.items() if words in row[0]), "")
