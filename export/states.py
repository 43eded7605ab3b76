"""What the states of the models are made of: names, axes and meanings, in the order of their NamedTuples."""

from export.graph import StateTensor

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


def open_window(features: int) -> dict[str, StateTensor]:
    """The state of a trained stack over F token features (`gdssm.streaming.OpenState`)."""
    return {
        "count": StateTensor(("B",), "sum of the weights"),
        "gated_sum": StateTensor(("B", features, features), "decayed sum of the gated products of complete windows"),
        "last_pair": StateTensor(("B", 2, features), "tokens of the last observation, whose window is yet open"),
        "last_weight": StateTensor(("B",), "its weight; 0 while there is none"),
    }
