"""Two states of one model into one, without the model: a context can be split over machines and put together again.

The rules are associative, and a zero state changes nothing.
"""

from collections.abc import Callable, Mapping

import numpy as np

from service.artifact import Manifest
from service.errors import InvalidInput, Problem, UnsupportedByModel
from service.shapes import Array, measure

State = Mapping[str, Array]


def merge(manifest: Manifest, older: State, newer: State) -> dict[str, Array]:
    """Join what two contexts have seen.

    Args:
        manifest: Of the model that both states belong to; it names the rule.
        older: State tensors by input name.
        newer: State tensors by input name.

    Raises:
        UnsupportedByModel: The model's states do not merge.
        InvalidInput: The two are not of one shape.
    """
    check_merges(manifest)
    if measure(manifest.state, older) != measure(manifest.state, newer):
        raise InvalidInput(
            Problem("", "The two states were made from data of different widths; they cannot be merged.")
        )
    return RULES[manifest.merge.rule](older, newer)


def check_merges(manifest: Manifest) -> None:
    """See that states of a model can be joined.

    Raises:
        UnsupportedByModel: They cannot.
    """
    if manifest.merge.rule not in RULES:
        problem = f"States of model {manifest.name} do not merge; observe all in one context."
        raise UnsupportedByModel(Problem("", problem))


def _scan(older: State, newer: State) -> dict[str, Array]:
    """Sums of a recurrence that forgets nothing add up."""
    return {name: older[name] + newer[name] for name in older}


def _moments(older: State, newer: State) -> dict[str, Array]:
    """Chan, Golub and LeVeque 1979: each side brings its comoment, and what lies between the two means."""
    a, b = older["state.count"][:, None], newer["state.count"][:, None]
    count = a + b
    left = count != 0
    share = np.divide(b, count, out=np.zeros_like(count), where=left)
    gap = newer["state.mean"] - older["state.mean"]
    between = (a * share)[..., None] * gap[:, :, None] * gap[:, None, :]
    comoment = older["state.comoment"] + newer["state.comoment"] + between
    diagonal = np.abs(np.diagonal(comoment, axis1=1, axis2=2))
    peak = np.maximum.reduce([older["state.peak"], newer["state.peak"], diagonal])
    return {
        "state.count": count[:, 0],
        "state.mean": np.where(left, older["state.mean"] + share * gap, 0.0),
        "state.comoment": np.where(left[..., None], comoment, 0.0),
        "state.peak": np.where(left, peak, 0.0),
    }


RULES: dict[str, Callable[[State, State], dict[str, Array]]] = {"scan": _scan, "moments": _moments}
