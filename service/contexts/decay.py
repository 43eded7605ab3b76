"""How a context forgets: not at all, by a fixed factor, or by the one that predicts best."""

import numpy as np

from service.contexts import drift
from service.contexts.decay_setting import AUTO, RULE, Decay
from service.contexts.drift import Infer, check_averages
from service.contexts.forgetting import COUNT, SQUARES, check_forgets, fade, faded_squares, fading
from service.contexts.merge import State
from service.errors import InvalidInput, Problem
from service.inference.artifact import Manifest, next_name
from service.inference.predictor import check_finite
from service.inference.sizes import Array

Observed = tuple[Array, Array, Array | None]
"""x (N, D), y (N, K) and weight (N,), None for ones."""


def check_decay(manifest: Manifest, decay: float | str | None) -> None:
    """See that a decay is one, and that the model can forget so.

    Raises:
        InvalidInput: It is not.
        UnsupportedByModel: The model cannot.
    """
    if decay is None:
        return
    if decay == AUTO:
        check_averages(manifest)
        return
    if isinstance(decay, str) or not 0 < decay <= 1:
        text = f"{RULE}; this is {decay!r}. It is the factor on the weight of an observation after one more."
        raise InvalidInput(Problem("decay", text))
    check_forgets(manifest)


def observe(manifest: Manifest, infer: Infer, state: State, decay: Decay, observations: Observed) -> dict[str, Array]:
    """Learn further observations into the state of one context.

    Args:
        manifest: Of the model.
        infer: The model.
        state: Before; of nothing observed yet the declared scale of features, or nothing.
        decay: How it forgets.
        observations: N of them.
    """
    x, y, sent = observations
    weight = np.ones(len(x)) if sent is None else sent
    if decay == AUTO:
        return drift.observe(manifest, infer, state, (x, y, weight))
    if decay is not None:
        weight, share = fading(decay, weight)
        state = fade(manifest, state, share) if COUNT in state else state
    outputs = infer({**state, "x": x[None], "y": y[None], "weight": weight[None]})
    learnt = {spec.name: outputs[next_name(spec.name)] for spec in manifest.state}
    if decay is not None and SQUARES in learnt:
        learnt[SQUARES] = faded_squares(sent, weight) + state.get(SQUARES, 0.0)
        check_finite([learnt[SQUARES]], manifest, {})
    return learnt
