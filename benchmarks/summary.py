"""The goals of every topic and whether they are met, out of the results, as `benchmarks/README.md` shows them.

`python -m benchmarks.summary` writes them there again, as the end of `python -m benchmarks` does.
"""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.results import RESULTS
from benchmarks.table import NOT_MET, markdown

TOPICS = ("cost", "graph", "held_context", "stored_context", "serving", "start", "scale", "bulk", "training")
"""In the order in which they are measured."""

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- goals -->", "<!-- end of goals -->"

REASONS = {
    "S json: instructions": "A request is admitted, timed, identified, authenticated, limited, checked, logged and "
    "counted: many short Python functions around the few that parse, run and write.",
    "M json: instructions": "The same care, for a body of 25 KB.",
    "L json: instructions": "By hand it is not seen whether rows have one width, nor whether a list hides in one.",
    "L binary: instructions": "The control reads a raw body of its own; ours reads safetensors, whose names, types and "
    "shapes are checked.",
    "instructions, of ours": "As beside the hand-written application, whose own figure is not far from it.",
    "p99": "Those who are there at the looks at models and counts, twice a second, are more than a hundredth.",
    "processor time": "The model's run and uvicorn are more than a third of our time, and the peer has them too.",
    "requests/s": "One core, fully used: the processor time again.",
    "start": "Importing takes most of it: SQLAlchemy, our own modules and schemas, FastAPI, numpy, in this order.",
    "base install on disk": "onnxruntime, numpy with its libraries, and SQLAlchemy are most of it.",
    "within 1.5 times of numpy": "Settings and onnxruntime are started, and the graph standardises too.",
    "graph / numpy": "Each of its nodes has onnxruntime's own cost for one; the product is as fast as numpy's.",
    "held / one-shot": "Only the pass over the observations is saved; line searches cost the same from a state.",
    "at least 100 times (b)": "One layer's matrix products alone are a good part of a hundredth of (b) (profile). Each "
    "further layer repeats them, and passes over the sequence, autograd and optimizer come on top.",
    "linear in N": "What does not depend on N is a good part of a step at N = 100 (profile): ten times the positions "
    "are less than ten times the work.",
}
"""Why a goal is not met, by what it says; the first that fits."""


def of(results: Path) -> str:
    """Put the goals of all topics that were measured together, with the reason where one is not met."""
    return "\n".join(_topic(results / f"{topic}.md") for topic in TOPICS if (results / f"{topic}.md").exists())


def show(results: Path, readme: Path = README) -> None:
    """Write the goals down beside the results; those of the committed ones into the README too, between its marks."""
    (results / "summary.md").write_text(of(results))
    if results == RESULTS:
        before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        readme.write_text(f"{before}{BEGIN}\n\n{of(results).strip()}\n\n{END}{after}", encoding="utf-8")


def _topic(path: Path) -> str:
    text = path.read_text()
    title, measured = text.splitlines()[0].lstrip("# "), text.strip().splitlines()[-1]
    rows = [[*row, _reason(row)] for row in _goals(text.splitlines())]
    return f"**{title}** ([all of it](results/{path.name})). {measured}\n\n{_table(rows)}"


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


if __name__ == "__main__":
    show(RESULTS)
