"""`python -m gdssm.train --preset NAME --out DIRECTORY [--seed N]`: train, evaluate, and write a record.

Writes metrics.jsonl, checkpoint.safetensors (the same command resumes the run), and at the end record.json:
configuration, commit and the evaluation on 20,000 tasks.
"""

import argparse
import json
import logging
from dataclasses import replace
from pathlib import Path

import torch

from gdssm.provenance import commit
from gdssm.train.evaluate import evaluate
from gdssm.train.loop import Run, train
from gdssm.train.presets import PRESETS

logger = logging.getLogger("gdssm.train")


def main() -> None:
    """Parse the arguments, train, evaluate."""
    parser = argparse.ArgumentParser(
        prog="python -m gdssm.train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", required=True, choices=PRESETS, metavar="NAME", help=", ".join(PRESETS))
    parser.add_argument("--out", required=True, type=Path, metavar="DIRECTORY", help="directory of the run")
    parser.add_argument("--seed", type=int, default=0, help="of weights and data (%(default)s)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, … (%(default)s)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = replace(PRESETS[arguments.preset], seed=arguments.seed)
    try:
        stack = train(config, Run(arguments.out, torch.device(arguments.device), quiet=arguments.quiet))
    except ValueError as error:
        parser.error(str(error))
    record = {"config": config.as_json(), "commit": commit(), "metrics": evaluate(stack, config)}
    (arguments.out / "record.json").write_text(json.dumps(record, indent=2) + "\n")
    logger.info("%s", json.dumps(record["metrics"], indent=2))


if __name__ == "__main__":
    main()
