"""`python -m gdssm.reproduce --out DIRECTORY [--from DIRECTORY] [--quick] [--redraw]`: the evidence as one HTML page.

The directory gets report.html, report.json with every number, and the figures one by one.
"""

import argparse
import logging
import time
from pathlib import Path

import torch

from gdssm.reproduce import report, runs
from gdssm.reproduce.experiment_context import ExperimentContext
from gdssm.reproduce.settings import FULL, QUICK, Settings
from gdssm.train.presets import PRESETS

logger = logging.getLogger("gdssm.reproduce")


def main() -> None:
    """Parse the arguments, get trained models, measure, draw."""
    parser = argparse.ArgumentParser(
        prog="python -m gdssm.reproduce", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIRECTORY", help="where the report goes")
    parser.add_argument("--from", dest="source", type=Path, metavar="DIRECTORY", help="finished runs DIRECTORY/PRESET")
    parser.add_argument("--quick", action="store_true", help="minutes become seconds; only shows that all parts work")
    parser.add_argument("--redraw", action="store_true", help="draw the numbers in DIRECTORY again, measure nothing")
    parser.add_argument("--threads", type=int, default=1, help="of torch (%(default)s: its operations are small here)")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(arguments.threads)
    started = time.perf_counter()
    if not arguments.redraw:
        try:
            reproduce(QUICK if arguments.quick else FULL, arguments.out, arguments.source)
        except (ValueError, FileNotFoundError) as error:
            parser.error(str(error))
    report.draw(arguments.out)
    logger.info("%s, after %.0f s", arguments.out / report.PAGE, time.perf_counter() - started)


def reproduce(settings: Settings, out: Path, source: Path | None) -> None:
    """Train or load, measure, and write the numbers."""
    out.mkdir(parents=True, exist_ok=True)
    trained = runs.load_all(PRESETS, source) if source else runs.train_all(settings.presets(), out / "runs")
    report.write_numbers(report.measure(ExperimentContext(settings, trained)), out)


if __name__ == "__main__":
    main()
