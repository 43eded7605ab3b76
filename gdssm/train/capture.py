"""A training step as a CUDA graph: one launch in place of some hundred.

A graph repeats the same kernels on the same memory. So the batch is copied to fixed tensors, the sizes of the step are
tensors (`optimizer`), and another graph is captured where the batch size or the number of layers changes. A capture
computes nothing, and its kernels must have run before on the same stream: the first steps run there one by one.
"""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from gdssm.train import growth
from gdssm.train.batches import TrainBatch
from gdssm.train.step import TrainStep

STEPS_BEFORE = 3
"""Steps that run before a capture."""


class Recorder(Protocol):
    """Runs work on a device, and repeats it."""

    def run(self, work: Callable[[], None]) -> None:
        """Run work once."""

    def capture(self, work: Callable[[], None]) -> Callable[[], None]:
        """Return a function that repeats work, without running it."""


class CudaRecorder:
    """Runs work on a separate stream, and captures it there.

    Args:
        device: A card, which becomes the current device.
    """

    def __init__(self, device: torch.device) -> None:
        torch.cuda.set_device(device)
        self.stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch has no types for it

    def run(self, work: Callable[[], None]) -> None:
        """Run work after that of the current stream, and before later work of it."""
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            work()
        torch.cuda.current_stream().wait_stream(self.stream)

    def capture(self, work: Callable[[], None]) -> Callable[[], None]:
        """Wait for the device, and capture work; it runs on the current stream."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self.stream):
            work()
        return graph.replay


class CapturedStep:
    """The values of a `TrainStep`, captured.

    Args:
        step: With an optimizer whose sizes are on the device.
        recorder: Of the device.
    """

    def __init__(self, step: TrainStep, recorder: Recorder) -> None:
        self.step = step
        self.recorder = recorder
        self.loss = torch.zeros((), device=step.stack.decay_logit.device)
        self._kind: tuple[int, int] | None = None
        """Batch size, and number of layers that are not added yet."""
        self._taken = 0
        """Steps of this kind."""
        self._batch: TrainBatch | None = None
        self._replay: Callable[[], None] | None = None

    def __call__(self, step: int, batch: TrainBatch) -> Tensor:
        """Take the given step of the run; returns its loss (), which the next step overwrites."""
        self.step.optimizer.schedule(step)
        kind = len(batch.x), growth.waiting(self.step.config, step)
        if kind != self._kind:
            self._kind, self._taken, self._batch = kind, 0, None
        self._taken += 1
        if self._taken <= STEPS_BEFORE:
            self.recorder.run(lambda: self._run(step, batch))
            return self.loss
        if self._batch is None or self._replay is None:
            self._batch = TrainBatch(*(tensor.clone() for tensor in batch))
            self._replay = self._captured(step, self._batch)
        for fixed, new in zip(self._batch, batch, strict=True):
            fixed.copy_(new)
        self._replay()
        return self.loss

    def _run(self, step: int, batch: TrainBatch) -> None:
        self.loss.copy_(self.step.run(step, batch))

    def _captured(self, step: int, batch: TrainBatch) -> Callable[[], None]:
        groups = self.step.optimizer.adam.param_groups
        for group in groups:
            group["capturable"] = True
        replay = self.recorder.capture(lambda: self._run(step, batch))
        for group in groups:  # torch warns of such steps outside of a capture
            group["capturable"] = False
        return replay
