"""The report on the committed results: `python -m benchmarks.report [NAMES]`.

It writes the goals of all results into benchmarks/README.md and prints the tables of the benchmarks named.
"""

import sys
from pathlib import Path

from benchmarks.results import RESULTS, Result, goals_table

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- goals -->", "<!-- end of goals -->"


def update(results: Path = RESULTS, readme: Path = README) -> None:
    """Write the goals between their marks."""
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n\n{goals(results)}\n\n{END}{after}", encoding="utf-8")


def goals(results: Path = RESULTS) -> str:
    """Return the goals of every benchmark, or its first table if it has none, with the hardware and the date."""
    parts: list[str] = []
    for path in sorted(results.glob("*.json")):
        result = Result.read(path)
        parts += [f"### {result.title}", f"Measured on {result.measured} ([{path.name}](results/{path.name}))."]
        parts.append((goals_table(result.goals) if result.goals else result.tables[0].markdown()).strip())
    return "\n\n".join(parts)


if __name__ == "__main__":
    update()
    for name in sys.argv[1:]:
        print(Result.read(RESULTS / f"{name}.json").markdown())
