"""The states of the models: names, axes and meanings, in the order of their NamedTuples."""

from export.graph import StateTensor
from gdssm.prior import BUFFERED
from gdssm.sequence.regression import RegressorState

GATED_SUM = {
    "count": StateTensor(("B",), "sum of the weights"),
    "gated_sum": StateTensor(("B", "D+K", "D+K"), "Σ x xᵀ and Σ x yᵀ, side by side in the first D rows"),
}

RESIDUAL_SUM = {
    "count": StateTensor(("B",), "sum of the weights"),
    "gated_sum": StateTensor(("B", "D+K", "D+K"), "Σ x xᵀ and Σ x (y − softmax W₀ᵀx)ᵀ, side by side in D rows"),
}

MOMENTS = {
    "count": StateTensor(("B",), "sum of the weights"),
    "mean": StateTensor(("B", "D+K"), "weighted mean of [x, y]"),
    "comoment": StateTensor(("B", "D+K", "D+K"), "weighted centred second moments of [x, y], not divided by the count"),
    "peak": StateTensor(("B", "D+K"), "largest diagonal of the comoment so far"),
}

CELLS = {
    "count": StateTensor(("B",), "sum of the weights"),
    "count_of_squares": StateTensor(("B",), "sum of w for whole-number weights, of w·|w| for others"),
    "mean": StateTensor(("B", "D+K"), "weighted mean of [y, x], of x over the cells that are there"),
    "present": StateTensor(("B", "G"), "share of the weight with which each cell of x is there; G = 0: all are"),
    "comoment": StateTensor(("B", "D+K+G", "D+K+G"), "weighted centred second moments of [y, x, present]"),
    "peak": StateTensor(("B", "D+K"), "largest diagonal of the comoment so far, of [y, x]"),
}

FEATURES = {
    **CELLS,
    "comoment": StateTensor(
        ("B", "D+K+G+A+P", "D+K+G+A+P"), "weighted centred second moments of [y, x, present, features]"
    ),
    "feature_mean": StateTensor(("B", "A+P"), "weighted mean of the features"),
    "frozen": StateTensor(("B",), "1 when the scale of the features is fixed"),
    "center": StateTensor(("B", "D"), "what features take for the mean of each column"),
    "spread": StateTensor(("B", "D"), "what features take for its standard deviation"),
    "buffer": StateTensor(("B", BUFFERED, "D+K"), "observations [y, x] while the scale is not fixed"),
    "buffer_present": StateTensor(("B", BUFFERED, "G"), "whether each of their cells of x is there"),
    "buffer_weight": StateTensor(("B", BUFFERED), "their weights"),
}


def open_window(features: int) -> dict[str, StateTensor]:
    """The state of a trained stack over F token features (`gdssm.streaming.OpenState`)."""
    return {
        "count": StateTensor(("B",), "sum of the weights"),
        "gated_sum": StateTensor(("B", features, features), "decayed sum of the gated products of complete windows"),
        "last_pair": StateTensor(("B", 2, features), "tokens of the last observation, whose window is yet open"),
        "last_weight": StateTensor(("B",), "its weight; 0 while there is none"),
    }


def sequence(empty: RegressorState) -> dict[str, StateTensor]:
    """The state of a sequence model, with the sizes of its empty state."""
    meanings = {
        "count": "sum of the weights",
        "gram": "decayed sums of key keyᵀ, by layer and head",
        "cross": "decayed sums of key valueᵀ, by layer and head",
        "window": "last projections of every layer",
    }
    return {
        name: StateTensor(("B", *tensor.shape[1:]), meanings[name])
        for name, tensor in zip(empty._fields, empty, strict=True)
    }
