"""Regressions between two reports: metrics that are worse by more than both intervals."""

from collections.abc import Iterator

from service.errors import InvalidInput, Problem
from service.evaluations.report import METRICS, Report, value_of
from service.evaluations.result import IntervalView, ScoreView

LOWER_IS_BETTER: frozenset[str] = frozenset({"loss", "relative_prediction_difference", "interval_score_90"})
NOMINAL: dict[str, float] = {"coverage_80": 0.8, "coverage_90": 0.9}
"""Metrics that are best at a value."""


def regressions(before: Report, after: Report) -> Iterator[str]:
    """Describe where a model became worse.

    Args:
        before: The baseline.
        after: Of the same request except for its models; those in both are compared.

    Raises:
        InvalidInput: The requests differ, or no model is in both.
    """
    _check_requests(before, after)
    earlier = {(result.distribution, result.learner): result for result in before.own_results}
    for result in after.own_results:
        known = earlier.get((result.distribution, result.learner))
        if known is not None and known.refused is None:
            yield from _worse(known, result)


def _worse(before: ScoreView, after: ScoreView) -> Iterator[str]:
    where = f"{after.learner}@{after.distribution}"
    if after.refused is not None:
        yield f"{where} does not fit any more: {after.refused}"
        return
    for metric in METRICS:
        old, new = value_of(before, metric), value_of(after, metric)
        if old is not None and new is None:
            yield f"{where}.{metric} is not given any more; it was {_shown(old)}"
        elif old is not None and new is not None and _is_worse(metric, old, new):
            yield f"{where}.{metric} is {_shown(new)}; it was {_shown(old)}"


def _is_worse(metric: str, old: IntervalView, new: IntervalView) -> bool:
    """Return whether the intervals do not overlap and the new one is worse, or the new mean is not a number."""
    if old.mean is None or old.low is None or old.high is None:
        return False
    if new.mean is None or new.low is None or new.high is None:
        return True
    if metric in NOMINAL:
        further = abs(new.mean - NOMINAL[metric]) > abs(old.mean - NOMINAL[metric])
        return further and (new.low > old.high or new.high < old.low)
    return new.low > old.high if metric in LOWER_IS_BETTER else new.high < old.low


def _check_requests(before: Report, after: Report) -> None:
    one, other = (report.request.model_dump(exclude={"models"}) for report in (before, after))
    different = [name for name in one if one[name] != other[name]]
    if different:
        raise InvalidInput(
            Problem("--baseline", f"was made with another {', '.join(different)}; only the same tasks can be compared.")
        )
    if not {model.name for model in before.models} & {model.name for model in after.models}:
        raise InvalidInput(Problem("--baseline", "has none of these models."))


def _shown(interval: IntervalView) -> str:
    if interval.mean is None or interval.low is None or interval.high is None:
        return "not a finite number"
    return f"{interval.mean:.6g} [{interval.low:.6g}, {interval.high:.6g}]"
