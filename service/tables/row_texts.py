"""The cells of some rows of a table, as text."""

import numpy as np
from numpy.typing import NDArray

from service.tables.cells import Table, as_text


def row_texts(table: Table, rows: NDArray[np.intp]) -> dict[str, list[str | None]]:
    """Read all columns of some rows.

    Args:
        table: May be larger than memory.
        rows: Their numbers, in any order and any number of times.

    Returns:
        For each column the text of each row; None where a cell is missing.
    """
    wanted, places = np.unique(rows, return_inverse=True)
    found: dict[str, list[str | None]] = {name: [] for name in table.columns}
    for chunk in table.chunks(table.columns, text=table.columns):
        own = wanted[(wanted >= chunk.start) & (wanted < chunk.start + chunk.rows)] - chunk.start
        for name in table.columns if len(own) else ():
            cells = as_text(chunk.cells[name].rows(own))
            found[name] += [None if code < 0 else cells.texts[code] for code in cells.values.tolist()]
    return {name: [texts[place] for place in places.tolist()] for name, texts in found.items()}
