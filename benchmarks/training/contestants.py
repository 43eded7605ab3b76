"""The same stack, with the same weights, read in three ways: one loss, one gradient, three costs."""

from collections.abc import Callable, Mapping

import torch

from gdssm import reference
from gdssm.notation import Inputs, Outputs, Predictions, Queries
from gdssm.stack import GDSSM

Forward = Callable[[GDSSM, Inputs, Outputs, Queries], Predictions]


def literal_loop(stack: GDSSM, x: Inputs, y: Outputs, x_query: Queries) -> Predictions:
    """Make every state with the loop over time of `gdssm.reference`, answer at every position, and take the last."""
    window = stack.windows(x, y, x_query)
    update = stack.input_gate(window)
    states = reference.recurrence(stack.decay.expand_as(update[:1]), update, torch.zeros_like(update[:, 0]))
    return stack.read_all(window, states)[:, -1:]


def per_dimension(stack: GDSSM, x: Inputs, y: Outputs, x_query: Queries) -> Predictions:
    """Do the same with a recurrence over time for each dimension of the state by itself, one after the other."""
    window = stack.windows(x, y, x_query)
    mixed = stack.input_gate.mix(window)
    rows = []
    for tokens, decay in zip(window.unbind(-1), stack.decay, strict=True):
        update = (tokens[..., None] * mixed).sum(2)
        rows.append(reference.recurrence(decay.expand_as(update[:1]), update, torch.zeros_like(update[:, 0])))
    return stack.read_all(window, torch.stack(rows, dim=2))[:, -1:]


OURS, LOOP, SCAN = "gdssm", "(a) loop", "(b) per dimension"
CONTESTANTS: Mapping[str, Forward] = {OURS: GDSSM.__call__, LOOP: literal_loop, SCAN: per_dimension}
