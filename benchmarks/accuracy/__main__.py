"""`python -m benchmarks.accuracy`: run what is missing of the comparison on all tables, then write the report."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from benchmarks.accuracy import records, tables
from benchmarks.accuracy.report import report
from benchmarks.accuracy.run import Plan, run
from benchmarks.accuracy.splits import SIZES, SPLITS
from benchmarks.results import RESULTS

WORK = Path(__file__).parents[2] / ".bench" / "accuracy"
"""Ignored by git."""
RECORDS = "records.jsonl"
QUICK_TABLES = ("diabetes", "Boston", "airquality", "ames", "friedman1", "noise", "iris", "Pima.te", "digits")
QUICK_SIZES, QUICK_SPLITS = (5, 20, 100, 500), 5


def parse() -> Namespace:
    """Read the command line; what is left out depends on `--quick`."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"nine tables, results in {WORK}/quick; a minute")
    parser.add_argument("--tables", nargs="+", metavar="NAME", choices=tables.names(), help="default: all")
    parser.add_argument("--contestants", nargs="+", metavar="NAME", help="default: all")
    parser.add_argument("--sizes", nargs="+", type=int, metavar="N", help="rows of context")
    parser.add_argument("--splits", type=int, help=f"default: {SPLITS}, or {QUICK_SPLITS} with --quick")
    parser.add_argument("--processes", type=int, default=2, help="workers, of one thread each")
    parser.add_argument("--out", type=Path, help="directory for the results")
    parser.add_argument("--records", type=Path, help="file of single results; what it has is not run again")
    parser.add_argument("--report-only", action="store_true", help="report on the results that exist")
    return parser.parse_args()


def plan(options: Namespace) -> Plan:
    """Choose what to run."""
    every, sizes, splits = (
        (QUICK_TABLES, QUICK_SIZES, QUICK_SPLITS) if options.quick else (tables.names(), SIZES, SPLITS)
    )
    return Plan(options.tables or every, options.contestants, options.sizes or sizes, options.splits or splits)


def main(options: Namespace) -> None:
    """Run and report."""
    work = WORK / "quick" if options.quick else WORK
    out, path = options.out or (work if options.quick else RESULTS), options.records or work / RECORDS
    out.mkdir(parents=True, exist_ok=True)
    wanted = plan(options)
    if not options.report_only:
        run(wanted, path, options.processes)
    report(out, records.select(records.read(path), wanted.keys()))


if __name__ == "__main__":
    main(parse())
