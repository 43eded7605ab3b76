"""The accuracy table of `benchmarks/README.md`, out of the committed results."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.results import RESULTS
from benchmarks.summary import README
from benchmarks.table import markdown

BEGIN, END = "<!-- accuracy -->", "<!-- end of accuracy -->"
SIZES = ("10", "20", "50", "100", "500", "2000")
SHOWN = ("nonlinear", "linear", "RidgeCV", "random forest", "gradient boosting", "Gaussian process")
OURS = "nonlinear"

Rows = Sequence[Mapping[str, Any]]


def table(results: Path = RESULTS) -> str:
    """Lay out the median R² of some contestants for each size, and what else is said of `nonlinear`."""
    sizes: Mapping[str, Rows] = json.loads((results / "accuracy.json").read_text(encoding="utf-8"))["regression"]
    header = ["rows", *SHOWN, f"rank of `{OURS}`", "its 90 % interval holds"]
    return markdown(header, [_line(size, sizes[size]) for size in SIZES if size in sizes])


def show(results: Path = RESULTS, readme: Path = README) -> None:
    """Write the table between its marks."""
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n\n{table(results)}\n{END}{after}", encoding="utf-8")


def _line(size: str, rows: Rows) -> list[str]:
    by_name = {row["contestant"]: row for row in rows}
    ours = by_name[OURS]
    place = 1 + sum(row["rank"] < ours["rank"] for row in rows)
    scores = [f"{by_name[name]['r2']:.3f}" if name in by_name else "" for name in SHOWN]
    return [f"{int(size):,}", *scores, f"{place} of {len(rows)}", f"{ours['coverage_90']:.1%}"]
