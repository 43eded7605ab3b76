"""Whether a manifest describes the one signature that everything here relies on (see `artifact`)."""

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from service.artifact import Axis, Manifest, TensorSpec, next_name
from service.errors import BrokenArtifact

MOMENTS: dict[str, tuple[Axis, ...]] = {
    "state.count": ("B",),
    "state.mean": ("B", "D+K"),
    "state.comoment": ("B", "D+K", "D+K"),
    "state.peak": ("B", "D+K"),
}
"""What the merge rule `moments` is about."""


def check(manifest: Manifest) -> None:
    """Refuse a manifest whose tensors are not those of the contract.

    Raises:
        BrokenArtifact: With the first thing that is wrong.
    """
    for problem in _problems(manifest):
        raise BrokenArtifact(f"its manifest breaks the contract of model files: {problem}.")


def _problems(manifest: Manifest) -> Iterator[str]:
    d, k = _axis(manifest, "D"), _axis(manifest, "K")
    data: dict[str, tuple[Axis, ...]] = {
        "x": ("B", "N", d),
        "y": ("B", "N", k),
        "weight": ("B", "N"),
        "x_query": ("B", "M", d),
    }
    state = {spec.name: spec.shape for spec in manifest.state}
    yield from _differences("inputs", manifest.inputs, {**data, **state})
    after = {next_name(name): shape for name, shape in state.items()}
    yield from _differences("outputs", manifest.outputs, {"prediction": ("B", "M", k), **after})
    names = Counter([*data, *state, *(parameter.name for parameter in manifest.parameters)])
    yield from (f"{name} is there {times} times" for name, times in names.items() if times > 1)
    if {spec.dtype for spec in (*manifest.inputs, *manifest.outputs)} != {manifest.dtype}:
        yield "its tensors are not of one dtype"
    for name, (first, *others) in ((name, shape or (0,)) for name, shape in state.items()):
        if first != "B" or {"B", "N", "M"} & set(others):
            yield f"{name} must have B as its first axis, and neither N nor M"
    if manifest.merge.rule == "moments" and state != MOMENTS:
        yield f"the merge rule moments is about {', '.join(MOMENTS)} and no other state"
    if unknown := set(manifest.linear_in_y_given) - {parameter.name for parameter in manifest.parameters}:
        yield f"linear_in_y_given names {', '.join(sorted(unknown))}, which are no parameters"


def _axis(manifest: Manifest, letter: Literal["D", "K"]) -> Axis:
    size = manifest.dims.get(letter, 0)
    return letter if size == "any" else size


def _differences(kind: str, specs: tuple[TensorSpec, ...], wanted: dict[str, tuple[Axis, ...]]) -> Iterator[str]:
    found = {spec.name: spec.shape for spec in specs}
    if found != wanted or len(specs) != len(wanted):
        shapes = ", ".join(f"{name} ({', '.join(map(str, shape))})" for name, shape in wanted.items())
        yield f"the {kind} must be {shapes}"
    sizes = {axis for spec in specs for axis in spec.shape if isinstance(axis, int)}
    if sizes and min(sizes) < 1:
        yield f"the {kind} have an axis of size {min(sizes)}"
