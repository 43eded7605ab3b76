"""The benchmark of hot contexts: its result, and its goals."""

import pytest

from benchmarks.hot_contexts import BEFORE, CLIENTS, NOW, Load, measure, report
from benchmarks.results import Goal


def goals(now: float, before: float, *, cores: int = 4, delay: float = 0.01) -> dict[str, Goal]:
    """Report if services of this version have one rate in all cases, and those before another one."""
    kinds = [f"{kind}, {clients}" for kind in ("SQLite", "PostgreSQL") for clients in (1, CLIENTS)]
    loads = {f"{kind}, {NOW}": [Load(now, 1e-3, 2e-3)] for kind in kinds}
    loads |= {f"{kind}, {BEFORE}": [Load(before, 1e-3, 2e-3)] for kind in kinds}
    for replicas in ("one replica", "two replicas"):
        loads |= {f"PostgreSQL, {replicas}, {what}": [Load(now, 1e-3, 2e-3)] for what in (f"many, {NOW}", "shards")}
    loads |= {f"PostgreSQL, two replicas, hot, {NOW}": [Load(now, 1e-3, 2e-3)]}
    loads |= {f"PostgreSQL, predictions{age}": [Load(now, 1e-3, 2e-3)] for age in ("", ", max-age")}
    return {goal.measure: goal for goal in report(loads, [delay], cores).goals}


def test_goals_are_ratios_to_the_version_before() -> None:
    for rate, met in ((300.0, True), (290.0, False)):
        found = goals(rate, 100.0)
        hot = [found[f"{kind}, {CLIENTS} clients on a context ÷ before"].met for kind in ("SQLite", "PostgreSQL")]
        assert hot == [met, met]
        assert found["two replicas ÷ one, one context"].met is True
        assert found["two replicas ÷ one, 16 contexts"].met is False
        assert found["predictions with max-age ÷ without"].met is False


def test_what_cores_do_not_allow_is_not_measured() -> None:
    found = goals(300.0, 100.0, cores=2)["two replicas ÷ one, 16 contexts"]
    assert (found.met, found.result) == (None, "1.00 on 2 cores")


def test_cases_that_are_missing_are_not_measured() -> None:
    assert {goal.met for goal in report({}, [], 2).goals} == {None}


def test_changes_are_seen_in_time() -> None:
    name = "a change is seen at another replica, median"
    assert [goals(1.0, 1.0, delay=delay)[name].met for delay in (0.1, 0.11)] == [True, False]


@pytest.mark.slow
def test_it_measures_all_cases() -> None:
    rates = measure(1, 2.0, 1).numbers["rates"]  # seconds in which a loaded machine answers one request
    assert isinstance(rates, dict)
    assert min(min(of) for of in rates.values()) > 0
