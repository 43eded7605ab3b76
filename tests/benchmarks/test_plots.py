import pytest

from benchmarks.plots import Panel, bars, growth, render, slope

SIZES = [10.0**power for power in range(2, 8)]


@pytest.mark.parametrize("power", [0, 1, 2.5])
def test_a_power_is_found(power: float) -> None:
    assert slope({size: 3e-7 * size**power for size in SIZES}) == pytest.approx(power, abs=1e-9)


def test_a_constant_part_does_not_hide_the_power_of_large_sizes() -> None:
    assert slope({size: 1e-3 + 1e-7 * size for size in SIZES}) == pytest.approx(1, abs=0.03)


def test_the_legend_has_the_slopes() -> None:
    panel = Panel(
        "time", "N", "seconds", {"linear": {size: 2 * size for size in SIZES}, "flat": dict.fromkeys(SIZES, 3.0)}
    )
    (axes,) = growth([panel]).axes
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["linear (slope 1.00)", "flat (slope 0.00)"]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_every_method_has_a_bar_for_each_thing_that_was_measured_of_it() -> None:
    (axes,) = bars({"gdssm": {"S": 30.0, "L": 900.0}, "peer": {"S": 4_000.0}}, "instructions").axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["gdssm", "peer"]
    assert sorted(patch.get_width() for patch in axes.patches) == [30, 900, 4000]  # type: ignore[attr-defined]
    assert {text.get_text() for text in axes.texts} == {"30", "900", "4,000"}


@pytest.mark.slow
def test_the_same_figure_is_the_same_file() -> None:
    texts = [render(bars({"gdssm": {"S": 30.0}}, "instructions"), "a") for _ in range(2)]
    assert texts[0] == texts[1]
    assert "<dc:date>" not in texts[0]
