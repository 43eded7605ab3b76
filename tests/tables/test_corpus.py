"""Every file of the corpus reads to its columns and cells, or is refused by its fault."""

import pytest

from service.errors import InvalidInput
from service.tables.reading import open_table
from tests.tables.corpus.entries import ENTRIES, Entry
from tests.tables.corpus.write import HERE, readme
from tests.tables.test_reading import read


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])
def test_each_file_of_the_corpus_has_its_meaning(entry: Entry) -> None:
    path = HERE / entry.name
    if isinstance(entry.cells, str):
        with pytest.raises(InvalidInput) as refused:
            read(path, name=entry.name)
        assert entry.cells in str(refused.value)
        return
    found = read(path, name=entry.name)
    assert found == entry.cells
    assert list(found) == list(entry.cells)
    with open_table(path, entry.name) as table:
        assert entry.note in " ".join(table.notes)
        assert bool(entry.note) == bool(table.notes)


def test_the_corpus_on_disk_is_the_list_of_entries() -> None:
    assert {entry.name: entry.data for entry in ENTRIES} == {
        path.name: path.read_bytes() for path in HERE.iterdir() if path.suffix not in {".py", ".md"} and path.is_file()
    }
    assert (HERE / "README.md").read_text(encoding="utf-8") == readme()
