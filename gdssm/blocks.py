"""How many positions of a sequence are processed together: by the cache of a processor, or by the memory of a card."""

from functools import lru_cache

import torch

CACHED_ENTRIES = 2**18
"""Entries of the largest tensor of a block on a processor: it and the intermediate results stay in its cache."""
MEMORY_SHARE = 1 / 8
"""Share of the free memory of a card that the tensors of a block may take."""
TENSORS = 4
"""Tensors as large as the largest one that exist at the same time in a block, in the backward pass."""


def block_length(device: torch.device, entries: int, entry_bytes: int) -> int:
    """Return the number of positions of a block, at least 1.

    Args:
        device: Of the tensors.
        entries: Of the largest tensor, at one position.
        entry_bytes: Bytes of an entry.
    """
    if device.type != "cuda":
        return max(1, CACHED_ENTRIES // max(1, entries))
    return max(1, int(MEMORY_SHARE * free_memory(device)) // (TENSORS * entry_bytes * max(1, entries)))


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]  # torch has no types for it
def free_memory(device: torch.device) -> int:
    """Return the bytes that were free on a card when it was first asked; later runs have the same blocks then."""
    return _first_free_memory(device)


@lru_cache
def _first_free_memory(device: torch.device) -> int:
    free, _ = torch.cuda.mem_get_info(device)
    return free
