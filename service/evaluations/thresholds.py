"""Conditions under which an evaluation counts as failed: `r2 < 0.9`, `linear.r2 < 0.9`, `linear@sine.loss >= 1`.

    condition = [[MODEL][@DISTRIBUTION] "."] METRIC COMPARISON NUMBER

Without a model it is about every model that was asked for, without a distribution about every one; reference learners
are never meant, nor models that have no such number (coverage without intervals). A mean that is not a finite number
meets every condition.
"""

import operator
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Self, cast

from service.errors import InvalidInput, Problem
from service.evaluations.report import METRICS, Metric, value_of
from service.evaluations.result import ScoreView

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
CONDITION = re.compile(
    rf"""\s* (?: (?P<model>[^@\s<>=]*?) (?: @(?P<distribution>[^@\s<>=]+?) )? \. )?
         (?P<metric>{"|".join(METRICS)}) \s* (?P<comparison><=|>=|<|>) \s* (?P<number>\S+) \s*""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Threshold:
    """A condition, taken apart."""

    text: str
    model: str | None
    distribution: str | None
    metric: Metric
    comparison: str
    number: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a condition.

        Raises:
            InvalidInput: It is none.
        """
        found = CONDITION.fullmatch(text)
        try:
            number = float(found["number"]) if found else None
        except ValueError:
            number = None
        if found is None or number is None:
            metrics = ", ".join(METRICS)
            rule = f"must be as 'r2 < 0.9' or 'linear@sine.loss > 1', of {metrics}; this is {text!r}."
            raise InvalidInput(Problem("--fail-if", rule))
        metric = cast("Metric", found["metric"])
        return cls(text, found["model"] or None, found["distribution"], metric, found["comparison"], number)

    def met_by(self, results: Iterable[ScoreView]) -> Iterator[str]:
        """Say where the condition is met.

        Args:
            results: Of the models that were asked for.

        Raises:
            InvalidInput: It is about none of them, so that it could never be met.
        """
        meant = [result for result in results if self._means(result)]
        if not meant:
            raise InvalidInput(Problem("--fail-if", f"{self.text!r} is about nothing that was measured."))
        for result in meant:
            mean = getattr(value_of(result, self.metric), "mean", None)
            if mean is None or COMPARISONS[self.comparison](mean, self.number):
                shown = "not a finite number" if mean is None else f"{mean:.6g}"
                yield f"{result.learner}@{result.distribution}.{self.metric} is {shown}: {self.text}"

    def _means(self, result: ScoreView) -> bool:
        return (
            value_of(result, self.metric) is not None
            and self.model in {None, result.learner}
            and self.distribution in {None, result.distribution}
        )
