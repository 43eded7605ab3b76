"""Contexts that one run of a graph takes together: of one model and one shape, as many as fit in memory."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping

from service.contexts.tensors import State

CONTEXTS_LIMIT = 128
"""Contexts in one run: more make a context no cheaper, and take more memory at once."""
NUMBERS_LIMIT = 2**22
"""Numbers in the memory of one run: 32 MiB."""


def runs_of(keys: Mapping[int, Hashable], sizes: Mapping[int, int]) -> Iterator[list[int]]:
    """Divide contexts into runs; a context that would be alone in its run is left out.

    Args:
        keys: Of each context, by its number: those of one key can be stacked.
        sizes: Numbers in memory that a run needs for each.

    Yields:
        The numbers of the contexts of each run, two or more.
    """
    groups = defaultdict[Hashable, list[int]](list)
    for number, key in keys.items():
        groups[key].append(number)
    for numbers in groups.values():
        count = min(CONTEXTS_LIMIT, NUMBERS_LIMIT // max(1, *(sizes[number] for number in numbers)))
        if count > 1:
            runs = (numbers[start : start + count] for start in range(0, len(numbers), count))
            yield from (run for run in runs if len(run) > 1)


def shapes_of(tensors: State) -> Hashable:
    """Return what the tensors of contexts that can be stacked have in common."""
    return (*tensors, *[tensor.shape for tensor in tensors.values()])
