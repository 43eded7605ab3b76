"""`python -m gdssm.train --preset NAME --out DIRECTORY [options]`: train, evaluate, and write a record.

Writes metrics.jsonl, checkpoint.safetensors (the same command resumes the run), and at the end record.json:
configuration, commit and the evaluation on 20,000 tasks. SIGTERM and Ctrl-C write a checkpoint first.
`python -m export --run DIRECTORY` makes a finished run a model that the service loads.
"""

import argparse
import logging
import signal
from pathlib import Path
from typing import get_args

import torch

from gdssm.train.checkpoint import write_record
from gdssm.train.config import Precision, TrainConfig
from gdssm.train.evaluate import evaluate
from gdssm.train.interruption import Interrupted
from gdssm.train.loop import Run, train
from gdssm.train.presets import PRESETS, vary

logger = logging.getLogger("gdssm.train")

THREADS = 1
"""The steps of the presets are small: with two threads one takes twice as long."""
VARIED = ("seed", "steps", "batch", "observations", "inputs", "outputs", "layers", "learning_rate", "precision")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gdssm.train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    option = parser.add_argument
    option("--preset", default="linear-trained", choices=PRESETS, metavar="NAME", help=", ".join(PRESETS))
    option("--out", required=True, type=Path, metavar="DIRECTORY", help="directory of the run")
    option("--steps", type=int, metavar="N", help="optimizer steps")
    option("--learning-rate", type=float, metavar="RATE", help="peak, of gates and readout")
    option("--batch", type=int, metavar="B", help="contexts in a step")
    option("--observations", type=int, metavar="N", help="observations in a context")
    option("--inputs", type=int, metavar="D", help="columns of x, where the tasks are linear")
    option("--outputs", type=int, metavar="K", help="columns of y, where the tasks are linear")
    option("--layers", type=int, metavar="L", help="layers, each a step of gradient descent")
    option("--seed", type=int, default=0, help="of weights and data (%(default)s)")
    option("--device", default="cpu", help="cpu, or cuda for a card; data is drawn where it trains (%(default)s)")
    option("--precision", choices=get_args(Precision), help="of the matrix products (float32)")
    option("--threads", type=int, default=THREADS, help="of the processor; more for wide models (%(default)s)")
    option("--quiet", action="store_true", help="no progress bar")
    return parser


def main() -> None:
    """Parse the arguments, train, evaluate."""
    parser = _parser()
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        torch.set_num_threads(max(arguments.threads, 1))
        device = device_of(arguments.device)
        config = vary(PRESETS[arguments.preset], **{name: getattr(arguments, name) for name in VARIED})
        stack = train(config, Run(arguments.out, device, quiet=arguments.quiet))
    except Interrupted as interrupted:
        logger.info("%s. The same command continues.", interrupted)
        raise SystemExit(128 + interrupted.number) from None
    except KeyboardInterrupt:
        logger.info("interrupted before the first step")
        raise SystemExit(128 + signal.SIGINT) from None
    except (ValueError, OSError) as error:
        parser.error(str(error))
    metrics = evaluate(stack, config)
    write_record(arguments.out, config.as_json(), metrics)
    logger.info("%s", summary(config, metrics, arguments.out))


def device_of(name: str) -> torch.device:
    """Return a device that this machine has.

    Raises:
        ValueError: It has none of that name.
    """
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"--device is {name}, which torch cannot use here ({reason}). Use --device cpu.") from error


def summary(config: TrainConfig, metrics: dict[str, float], directory: Path) -> str:
    """Say what a finished run has reached, and how it is served."""
    lines = [f"{directory}: {config.steps} steps of {config.batch} contexts, evaluated on 20,000 tasks"]
    loss = f"loss {metrics['loss']:.5g} (half the mean squared error)"
    if "reference_loss" in metrics:
        steps = "one step" if config.model.layers == 1 else f"{config.model.layers} steps"
        loss += f"; {steps} of gradient descent: {metrics['reference_loss']:.5g}, ratio {metrics['loss_ratio']:.4f}"
        if metrics.get("least_rate", 1.0) <= 0:
            lines.append("One of its learning rates is not positive, so it is not descent: train with another --seed.")
        lines += [loss, f"cosine with the gradient of descent's prediction {metrics['sensitivity_cosine']:.5f}"]
    else:
        lines.append(loss)
    name = directory.resolve().name.lower()
    lines.append(f"to serve it: python -m export --run {directory} --name {name} --version 1.0.0 --out models/")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
