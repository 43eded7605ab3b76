import pytest

from service.pandas_index import index_columns


def test_an_index_is_known_by_what_pandas_wrote_or_by_its_name() -> None:
    written = {b"pandas": b'{"index_columns": ["id", {"kind": "range", "name": null}]}'}
    assert index_columns(["a", "id"], written) == {"id"}
    assert index_columns(["a", "__index_level_0__", "__index_level_12__"]) == {
        "__index_level_0__",
        "__index_level_12__",
    }
    assert index_columns(["index", "level_0", "index_level_0", "my__index_level_0__"]) == set()


@pytest.mark.parametrize("written", [b"", b"no JSON", b"[]", b"{}", b"null", b'{"index_columns": 3}', b"\xff"])
def test_metadata_of_another_kind_names_no_index(written: bytes) -> None:
    assert index_columns(["a"], {b"pandas": written}) == set()
