"""The benchmark on tables with categories and gaps."""

from benchmarks.mixed_tables import GAPS, SOURCES, load, measure, with_gaps


def test_gaps_are_in_the_columns_to_predict_from() -> None:
    source = SOURCES[0]
    whole = load(source)
    parts = {}
    for gaps in GAPS:
        frame = with_gaps(whole, source.target, gaps)
        assert frame[source.target].notna().all()
        parts[gaps] = frame.drop(columns=source.target).isna().to_numpy().mean()
    assert parts["none"] < parts["large values"] < parts["at random"]


def test_figures_are_those_of_the_cases() -> None:
    result = measure(SOURCES[:1], sizes=(20,), splits=1)
    found = result.numbers["r2"]
    assert isinstance(found, list)
    assert len(found) == len(GAPS) * 3
    (none, *_) = result.tables[0].rows
    assert none[2] == f"{found[0][SOURCES[0].item]:.3f}"
