"""Time and memory against every size: observations, columns, outputs, queries, and contexts on the server."""

from pathlib import Path

from benchmarks.plots import save
from benchmarks.results import parse_out, write
from benchmarks.scale.contexts import among
from benchmarks.scale.one_more import one_more
from benchmarks.scale.report import Found
from benchmarks.scale.sizes import MODELS, Sizes, sweep_all


def main(out: Path, sizes: Sizes) -> None:
    """Measure, and leave the results."""
    found = Found(
        sweep_all(sizes),
        {model: one_more(model, sizes.seen, sizes.one_more_rounds) for model in MODELS},
        {model: among(model, sizes.contexts, sizes.context_rounds) for model in MODELS},
    )
    for name, figure in found.figures().items():
        save(figure, out / f"{name}.svg")
    write(out, "scale", found.numbers(), found.section())


if __name__ == "__main__":
    main(parse_out(__doc__), Sizes())
