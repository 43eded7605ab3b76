"""States that know of missing cells, and the observations that a state holds unchanged.

A state has an indicator for each column of x, from the first missing cell on.
"""

from collections.abc import Mapping

import numpy as np

from service.inference.sizes import Array


def with_indicators(tensors: Mapping[str, Array], inputs: int) -> dict[str, Array]:
    """Give a state an indicator for each column; exact, because an indicator that has not varied is all zeros.

    Args:
        tensors: The state by input name, in full or not at all; G = 0 or D. Others are ignored.
        inputs: D.

    Returns:
        The tensors of the state that change; G = D.
    """
    present = tensors.get("state.present")
    if present is None:
        return {"state.present": np.zeros((len(tensors["x"]), inputs))}
    if present.shape[1]:
        return {}
    _, columns = tensors["state.mean"].shape
    there = (tensors["state.count"] != 0).astype(present.dtype)
    changed = {
        "state.present": np.repeat(there[:, None], inputs, 1),
        "state.comoment": np.insert(
            np.insert(tensors["state.comoment"], [columns] * inputs, 0.0, axis=1), [columns] * inputs, 0.0, axis=2
        ),
    }
    if "state.buffer_present" in tensors:
        rows = (tensors["state.buffer_weight"] != 0).astype(present.dtype)
        changed["state.buffer_present"] = np.repeat(rows[..., None], inputs, 2)
    return changed


def buffered(state: Mapping[str, Array]) -> dict[str, Array]:
    """Take out the observations that a state holds as they came: x, y and weight, as for a run of the graph.

    Args:
        state: In full, by input name, of a model that makes features.
    """
    inputs = state["state.center"].shape[1]
    rows, present = state["state.buffer"], state["state.buffer_present"]
    outputs = rows.shape[2] - inputs
    x = rows[..., outputs:]
    return {
        "x": np.where(present == 0, np.nan, x) if present.shape[2] else x,
        "y": rows[..., :outputs],
        "weight": state["state.buffer_weight"],
    }
