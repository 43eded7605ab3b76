"""Where the time of our step goes, by torch's own profiler."""

from collections.abc import Mapping

from torch.profiler import ProfilerActivity, profile

from benchmarks.training.contestants import CONTESTANTS, OURS
from benchmarks.training.step import Trainer
from gdssm.train.config import TrainConfig

STEPS = 10


def operators(config: TrainConfig) -> Mapping[str, tuple[float, float]]:
    """Find the calls of each operator in a step and the seconds in itself, without those that it calls."""
    trainer = Trainer(config, CONTESTANTS[OURS])
    trainer.step()
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        for _ in range(STEPS):
            trainer.step()
    return {
        event.key: (event.count / STEPS, event.self_cpu_time_total * 1e-6 / STEPS) for event in profiled.key_averages()
    }
