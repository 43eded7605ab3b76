"""Contexts that choose by themselves how fast to forget: one state for each of a few forgetting factors.

The F states are one batch, B = F, of one model. The factors are weighted by how well each has predicted
(`gdssm.decay_average`). Observations wait in the state until there are BLOCK of them. Then they are predicted from the
states before them, which gives the factors their weights, and learnt. So it makes no difference how a stream is split
into requests, and an observation costs a share of two runs.
"""

from collections.abc import Callable, Mapping

import numpy as np

from gdssm.decay_average import DECAYS, averaged, probabilities, scored
from service.errors import InvalidInput, Problem, UnsupportedByModel
from service.inference.artifact import Manifest
from service.inference.predictor import check_finite
from service.inference.sizes import Array
from service.states.forgetting import AUTO, RULE, RULES, fade, faded_squares
from service.states.tensors import COUNT, SQUARES, State, canonical

Infer = Callable[[Mapping[str, Array]], Mapping[str, Array]]
"""A model as a function: tensors of its graph by name, in and out."""
FACTORS = len(DECAYS)
BLOCK = 4
"""Observations that are predicted and learnt together. Larger blocks cost less, and predict fast drift worse: with 2, 3
and 4 the squared error on TrumpApproval is 4, 11 and 12 % larger than with 1. An observation costs 1.7 times one with
a fixed decay in process with 4, and 2.3 times with 3."""
LOG_WEIGHT = "drift.log_weight"
X, Y, WEIGHT = WAITING = ("drift.x", "drift.y", "drift.weight")
"""Observations that wait: (R, D), (R, K), (R,); R < BLOCK."""
LARGE = 1e100
"""Numbers from which squares may be beyond floating point: such observations are tried before they wait."""


def observe(
    manifest: Manifest, infer: Infer, state: State, observations: tuple[Array, Array, Array]
) -> dict[str, Array]:
    """Learn further observations; rows of weight 0 are left out.

    Args:
        manifest: Of the model.
        infer: The model.
        state: Before; for the first observations the declared scale of features (B = 1), or nothing.
        observations: x (N, D), y (N, K) and weight (N,), which is not negative.

    Returns:
        The state after.

    Raises:
        NumericOverflow: A state is beyond floating point.
    """
    x, y, weight = observations
    new = {name: part[weight != 0] for name, part in zip(WAITING, observations, strict=True)}
    state = dict(state) if LOG_WEIGHT in state else _start(manifest, infer, state, x.shape[1], y.shape[1])
    rows = {name: np.concatenate([state[name], new[name]]) for name in WAITING}
    count = len(rows[WEIGHT])
    for end in range(BLOCK, count + 1, BLOCK):
        block = {name: rows[name][end - BLOCK : end] for name in WAITING}
        state = settled(manifest, infer, {**state, **block})
    state |= {name: rows[name][count - count % BLOCK :] for name in WAITING}
    if any(np.abs(part).max(initial=0.0) > LARGE for part in new.values()):
        settled(manifest, infer, state)
    return state


def settled(manifest: Manifest, infer: Infer, state: State) -> dict[str, Array]:
    """Score the factors by the observations that wait, and learn these; nothing waits then."""
    weight = state[WEIGHT]
    rows = len(weight)
    if not rows:
        return dict(state)
    x, y, tensors = _batch(state[X]), _batch(state[Y]), of_model(state)
    log_weight = state[LOG_WEIGHT]
    if state[COUNT].all():
        found = infer({**tensors, "x_query": x})
        log_weight = scored(log_weight, y - found["prediction"], found["scale"], found["degrees_of_freedom"])
    faded, share = _faded(weight)
    before = fade(manifest, tensors, share)
    outputs = infer({**before, "x": x, "y": y, "weight": faded})
    learnt = {name: outputs[after] for name, after in manifest.next_names.items()}
    learnt[SQUARES] = before[SQUARES] + faded_squares(weight, faded)
    check_finite([learnt[SQUARES]], manifest, {})
    return canonical(learnt) | {LOG_WEIGHT: log_weight} | {name: state[name][:0] for name in WAITING}


def asked(query: Array) -> dict[str, Array]:
    """Ask every factor the same (M, D)."""
    return {"x_query": _batch(query)}


def average(state: State, outputs: Mapping[str, Array]) -> dict[str, Array]:
    """Average the answers of the factors, as outputs of one context (B = 1).

    The mixture is answered as one t distribution with its mean and scale; its degrees of freedom are the mean ones.

    Args:
        state: With no observations that wait.
        outputs: Of the graph, B = F.
    """
    probability = probabilities(state[LOG_WEIGHT])
    prediction, scale = averaged(probability, outputs["prediction"], outputs["scale"])
    return {
        "prediction": prediction[None],
        "scale": scale[None],
        "degrees_of_freedom": probability @ outputs["degrees_of_freedom"][:, None],
        **{name: np.round(probability @ outputs[name])[None] for name in ("clipped", "constant")},
    }


def memory_length(state: State) -> float:
    """Average the effective numbers of observations, (Σw)²/Σw², that the factors remember."""
    faded, share = _faded(state[WEIGHT])
    count = share * state[COUNT] + faded.sum(1)
    squares = share * share * state[SQUARES] + faded_squares(state[WEIGHT], faded)
    effective = np.divide(count * count, squares, out=np.zeros(FACTORS), where=squares > 0)
    return float(probabilities(state[LOG_WEIGHT]) @ effective)


def of_model(state: State) -> dict[str, Array]:
    """Pick the tensors of the model, B = F."""
    return {name: tensor for name, tensor in state.items() if name != LOG_WEIGHT and name not in WAITING}


def shapes(state: State, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    """Say which shapes the other tensors must have, with as many observations waiting as there are, if they may."""
    rows = min(len(state[WEIGHT]) if WEIGHT in state else 0, BLOCK - 1)
    return {LOG_WEIGHT: (FACTORS,), X: (rows, inputs), Y: (rows, outputs), WEIGHT: (rows,)}


def _start(manifest: Manifest, infer: Infer, declared: State, inputs: int, outputs: int) -> dict[str, Array]:
    """Make F states of nothing: those after an observation of weight 0."""
    padding = {
        "x": np.zeros((FACTORS, 1, inputs)),
        "y": np.zeros((FACTORS, 1, outputs)),
        "weight": np.zeros((FACTORS, 1)),
    }
    scale = {name: np.repeat(tensor, FACTORS, 0) for name, tensor in declared.items()}
    found = infer({**scale, **padding})
    none = dict(zip(WAITING, (np.zeros((0, inputs)), np.zeros((0, outputs)), np.zeros(0)), strict=True))
    learnt = {name: found[after] for name, after in manifest.next_names.items()}
    return learnt | {LOG_WEIGHT: np.zeros(FACTORS)} | none


def _faded(weight: Array) -> tuple[Array, Array]:
    """Compute the weights (F, R) of R observations after the last one, and the remaining share (F,) of the state."""
    rows = len(weight)
    return weight * DECAYS[:, None] ** np.arange(rows - 1, -1, -1), DECAYS**rows


def _batch(rows: Array) -> Array:
    return np.repeat(rows[None], FACTORS, 0)


def check_decay(manifest: Manifest, decay: float | str | None) -> None:
    """See that a decay is one, and that the model can forget so.

    Raises:
        InvalidInput: It is not.
        UnsupportedByModel: Its states do not fade, or its predictions have no scale to weigh several decays by.
    """
    if decay is None:
        return
    fades = manifest.merge.rule in RULES
    if decay == AUTO:
        if fades and manifest.gives_scale:
            return
        text = (
            f'is "auto", which needs a model whose predictions have a scale; model {manifest.name} {manifest.version} '
            "gives none. Use linear or nonlinear, or send a number."
        )
        raise UnsupportedByModel(Problem("decay", text))
    if isinstance(decay, str) or not 0 < decay <= 1:
        text = f"{RULE}; this is {decay!r}. It is the factor on the weight of an observation after one more."
        raise InvalidInput(Problem("decay", text))
    if not fades:
        forgetting = ", because it learnt by itself what to forget" if manifest.origin == "trained" else ""
        raise UnsupportedByModel(
            Problem("decay", f"is nothing that model {manifest.name} takes{forgetting}. Leave it out.")
        )
