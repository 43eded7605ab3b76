"""Write models as ONNX files and verify them.

`python -m export [NAME …] [--out DIRECTORY]` writes models of the zoo;
`python -m export --run DIRECTORY --name NAME --version 1.0.0 --out DIRECTORY` the model of a finished training run,
of `gdssm.train` or one that `gdssm.train.checkpoint.save_finished` has written.
"""

import argparse
import logging
from pathlib import Path

from pydantic import ValidationError

from export.trained import model_of, record
from export.write import export
from export.zoo import ENTRIES, Entry, trained

logger = logging.getLogger("export")

ZOO = Path("service/zoo")


def main() -> None:
    """Parse the arguments and export one model after the other."""
    names = sorted({entry.name for entry in ENTRIES})
    parser = argparse.ArgumentParser(
        prog="python -m export", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    option = parser.add_argument
    option("names", nargs="*", metavar="NAME", help=f"models to write, of {', '.join(names)}; all if none")
    option("--run", type=Path, metavar="DIRECTORY", help="a finished run of gdssm.train, instead of models of the zoo")
    option("--name", help="of the run's model: small letters, digits, . _ and -")
    option("--version", default="1.0.0", help="of the run's model (%(default)s)")
    option("--summary", help="of the run's model, one sentence")
    option("--out", type=Path, help=f"directory of the files ({ZOO}; with --run to be given)")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logger.setLevel(logging.INFO)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # of operators of torchvision, which is not installed
    try:
        entries = _of_run(arguments) if arguments.run else _of_zoo(arguments.names)
        out: Path = arguments.out or ZOO
        out.mkdir(parents=True, exist_ok=True)
        for entry in entries:
            path = export(entry, out)
            logger.info("%s: %d bytes, verified", path, path.stat().st_size)
    except ValidationError as error:
        parser.error("; ".join(f"--{problem['loc'][0]}: {problem['msg']}" for problem in error.errors()))
    except (ValueError, OSError) as error:
        parser.error(str(error))


def _of_zoo(names: list[str]) -> list[Entry]:
    unknown = set(names) - {entry.name for entry in ENTRIES}
    if unknown:
        known = ", ".join(sorted({entry.name for entry in ENTRIES}))
        raise ValueError(f"no model {', '.join(sorted(unknown))}; choose from {known}")
    return [entry for entry in ENTRIES if not names or entry.name in names]


def _of_run(arguments: argparse.Namespace) -> list[Entry]:
    if arguments.names or not arguments.name or not arguments.out:
        raise ValueError("--run takes --name and --out, and no names of the zoo.")
    if (arguments.name, arguments.version) in {(entry.name, entry.version) for entry in ENTRIES}:
        text = f"{arguments.name} {arguments.version} is a model that ships, and the service serves one of each name."
        raise ValueError(f"{text} Give another --name or a higher --version.")
    training = record(arguments.run)
    model, task = model_of(training), training.config["task"]["kind"]
    size = "One layer" if model.layers == 1 else f"{model.layers} layers"
    summary = arguments.summary or f"{size} trained from random weights on tasks of the kind {task}."
    return [trained(arguments.run, model, arguments.name, summary, version=arguments.version)]


if __name__ == "__main__":
    main()
