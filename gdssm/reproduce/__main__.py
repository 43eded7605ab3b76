"""`python -m gdssm.reproduce --out DIRECTORY [--from DIRECTORY] [--only NAME]`: all experiments as one page.

Writes report.html, report.json with every number, and one file for each figure.
"""

import argparse
import logging
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from gdssm.reproduce import report, runs
from gdssm.reproduce.catalog import EXPERIMENTS
from gdssm.reproduce.experiment_context import ExperimentContext
from gdssm.reproduce.processes import processor_seconds
from gdssm.reproduce.report_sizes import FULL, QUICK, ReportSizes
from gdssm.train.presets import PRESETS

NAMES = [report.PRESETS_PART, *(experiment.name for experiment in EXPERIMENTS)]
logger = logging.getLogger("gdssm.reproduce")


def main() -> None:
    """Parse the arguments, get trained models, measure, draw."""
    parser = argparse.ArgumentParser(
        prog="python -m gdssm.reproduce", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIRECTORY", help="directory of the report")
    parser.add_argument("--from", dest="source", type=Path, metavar="DIRECTORY", help="finished runs DIRECTORY/PRESET")
    parser.add_argument("--quick", action="store_true", help="a run of seconds that only shows that all parts work")
    parser.add_argument(
        "--redraw", action="store_true", help="draw the report.json of DIRECTORY again, without measuring"
    )
    parser.add_argument("--only", nargs="+", default=[], choices=NAMES, metavar="NAME", help="measure these again")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (%(default)s)")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(arguments.threads)
    started = time.perf_counter()
    if not arguments.redraw:
        try:
            reproduce(QUICK if arguments.quick else FULL, arguments.out, arguments.source, arguments.only)
        except (ValueError, FileNotFoundError) as error:
            parser.error(str(error))
    report.draw(arguments.out)
    spent = time.perf_counter() - started, processor_seconds()
    logger.info("%s, after %.1f minutes, %.1f processor minutes", arguments.out / report.PAGE, *(s / 60 for s in spent))


def reproduce(sizes: ReportSizes, out: Path, source: Path | None, only: Sequence[str] = ()) -> None:
    """Train or load, measure all experiments or some of an earlier report again, and write the numbers."""
    out.mkdir(parents=True, exist_ok=True)
    trained = (
        runs.load_all(PRESETS, source) if source else runs.train_all(sizes.presets(), out / "runs", sizes.processes)
    )
    context = ExperimentContext(sizes, trained)
    found = report.measure_again(report.read_numbers(out), context, only) if only else report.measure(context)
    report.write_numbers(found, out)


if __name__ == "__main__":
    main()
