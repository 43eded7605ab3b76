"""What was to be reached, and whether it was: the goals out of every topic's results, as the README shows them."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.table import NOT_MET, markdown

TOPICS = ("graph", "held_context", "serving", "start", "scale", "bulk", "training")
"""In the order in which they are measured."""

REASONS = {
    "S json: instructions": "A request is admitted, timed, identified, authenticated, limited, checked, logged and "
    "counted: many short Python functions around the few that parse, run and write (benchmarks/README.md).",
    "M json: instructions": "The same care for a body of 25 KB; a SIMD parser by hand, without any of it, takes 0.53.",
    "L json: instructions": "A SIMD parser by hand, with nothing else, takes 0.38; it does not see whether rows have "
    "one width, and whether a list hides in one.",
    "L binary: instructions": "The control reads a raw body of its own; ours reads safetensors, whose names, types and "
    "shapes are checked.",
    "instructions, of ours": "As beside the hand-written application, which itself reaches 2.5 for S and 3.8 for L.",
    "p99": "Those who are there at the looks at models, keys and queues, twice a second, are more than a hundredth.",
    "L json:": "By hand, with a SIMD parser and nothing else: 8.9 beside typical FastAPI, 2.3 beside MLServer.",
    "L binary:": "By hand, with nothing else: 28 beside typical FastAPI, 7.2 beside MLServer.",
    "processor time": "The model's run and uvicorn are more than a third of our time, and the peer has them too.",
    "requests/s": "One core, fully used: the processor time again.",
    "start": "Importing takes most of it: SQLAlchemy, our own modules and schemas, FastAPI, numpy, in this order.",
    "base install on disk": "onnxruntime 71 MB, numpy with its libraries 76, SQLAlchemy 30.",
    "within 1.5 times of numpy": "Settings and onnxruntime are started, and the graph standardises too.",
    "graph / numpy": "Each of its 95 nodes has onnxruntime's own cost for one; the product is as fast as numpy's.",
    "held / one-shot": "Only the pass over the observations is saved; line searches cost the same from a state.",
    "at least 100 times (b)": "A hundredth of (b) is 3 to 4 ms. One layer's matrix products alone take 1 (profile), "
    "and each further layer repeats them; passes over the sequence, autograd and optimizer come on top.",
    "linear in N": "What does not depend on N is a good part of a step at N = 100 (profile): ten times the positions "
    "are less than ten times the work.",
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
