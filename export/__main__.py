"""`python -m export [NAME …] [--out DIRECTORY]`: write models of the zoo and verify them."""

import argparse
import logging
from pathlib import Path

from export.write import export
from export.zoo import ENTRIES

logger = logging.getLogger("export")


def main() -> None:
    """Parse the arguments and export one model after the other."""
    names = sorted({entry.name for entry in ENTRIES})
    parser = argparse.ArgumentParser(prog="python -m export", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"models to write, of {', '.join(names)}; all if none")
    parser.add_argument("--out", type=Path, default=Path("service/zoo"), help="directory of the files (%(default)s)")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(names)
    if unknown:
        parser.error(f"no model {', '.join(sorted(unknown))}; choose from {', '.join(names)}")
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logger.setLevel(logging.INFO)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for entry in ENTRIES:
        if not arguments.names or entry.name in arguments.names:
            path = export(entry, arguments.out)
            logger.info("%s: %d bytes, verified", path, path.stat().st_size)


if __name__ == "__main__":
    main()
