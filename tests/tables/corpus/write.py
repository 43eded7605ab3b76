"""Writes the files of the corpus and their list: python -m tests.tables.corpus.write."""

from pathlib import Path

from tests.tables.corpus.entries import ENTRIES

HERE = Path(__file__).parent


def readme() -> str:
    """Return the list of the files."""
    rows = "".join(f"| `{entry.name}` | {entry.shows} |\n" for entry in ENTRIES)
    return (
        "# Tables in the wild\n\nEach file shows one kind of ugliness. `entries.py` has their bytes and their meaning, "
        "and `python -m tests.tables.corpus.write` writes them.\n\n| file | shows |\n| --- | --- |\n" + rows
    )


if __name__ == "__main__":
    for entry in ENTRIES:
        (HERE / entry.name).write_bytes(entry.data)
    (HERE / "README.md").write_text(readme(), encoding="utf-8")
