"""Finds the columns of an Arrow table or a Parquet file that are the index of a pandas frame."""

import json
import re
from collections.abc import Mapping, Sequence

UNNAMED_INDEX = re.compile(r"__index_level_\d+__")
"""pandas' name of an index without a name; other programs keep the column and drop pandas' metadata."""


def index_columns(names: Sequence[str], metadata: Mapping[bytes, bytes] | None = None) -> set[str]:
    """Return the names of index columns.

    Args:
        names: Of all columns.
        metadata: Of the schema; pandas describes its index there.
    """
    return {name for name in names if UNNAMED_INDEX.fullmatch(name)} | _in_metadata(metadata or {})


def _in_metadata(metadata: Mapping[bytes, bytes]) -> set[str]:
    try:
        index = json.loads(metadata.get(b"pandas", b"{}"))["index_columns"]
        return {name for name in index if isinstance(name, str)}  # an object describes a range, which has no column
    except (ValueError, LookupError, TypeError):
        return set()
