from benchmarks import cost


def test_every_method_answers_the_same_queries() -> None:
    drawn = cost.data()
    ridge = cost.fitted(cost.peers()[cost.CONTROL], drawn)
    assert len(ridge[cost.ONE_SHOT]()) == cost.QUERIES  # type: ignore[arg-type]
    outputs = cost.served("linear", drawn)
    assert outputs[cost.ONE_SHOT]()["prediction"].shape == (1, cost.QUERIES, 1)  # type: ignore[index]
    assert outputs[cost.QUERY]()["scale"].shape == (1, 1, 1)  # type: ignore[index]


def test_the_report_shows_times_ratios_and_goals() -> None:
    times = {
        what: {
            name: [seconds, seconds]
            for name, seconds in (("nonlinear", 0.002), (cost.CONTROL, 0.004), ("gradient boosting", 0.1))
        }
        for what in (cost.ONE_SHOT, cost.ONE_MORE, cost.QUERY, "observation")
    }
    text = cost.report(times, {"nonlinear": 90_000, "linear": 2_000}).markdown()
    assert "| nonlinear | 2 ms (0.50 [0.50, 0.50])" in text
    assert "| one-shot, nonlinear | ≤ 6 ms | 2.00 ms | met |" in text
    assert "| query, nonlinear | ≤ 0.3 ms | 2.00 ms | **not met** |" in text
    assert "| state, nonlinear | ≤ 100 kB | 90.0 kB | met |" in text
