"""Which columns of an Arrow table or a Parquet file are the index of a pandas frame, and no data."""

import json
import re
from collections.abc import Mapping, Sequence

UNNAMED = re.compile(r"__index_level_\d+__")
"""What pandas calls an index without a name; others that copy the file keep it, and lose what pandas wrote about it."""


def index_columns(names: Sequence[str], metadata: Mapping[bytes, bytes] | None = None) -> set[str]:
    """Find the columns of an index.

    Args:
        names: Of all columns.
        metadata: Of the schema; pandas writes about its index there.
    """
    return {name for name in names if UNNAMED.fullmatch(name)} | _described(metadata or {})


def _described(metadata: Mapping[bytes, bytes]) -> set[str]:
    try:
        index = json.loads(metadata.get(b"pandas", b"{}"))["index_columns"]
        return {name for name in index if isinstance(name, str)}  # an object stands for a range, which is no column
    except (ValueError, LookupError, TypeError):
        return set()
