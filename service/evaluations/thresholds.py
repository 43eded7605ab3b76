"""Conditions under which an evaluation counts as failed: `r2 < 0.9`, `linear.r2 < 0.9`, `linear@sine.loss >= 1`.

    condition = [[MODEL][@DISTRIBUTION] "."] METRIC COMPARISON NUMBER

Without a model it applies to every requested model, without a distribution to every distribution; it does not apply to
reference learners, nor to models without the metric (coverage without intervals). A mean that is not a finite number
meets every condition.
"""

import operator
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from service.errors import InvalidInput, Problem
from service.evaluations.report import METRICS, value_of
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
    """A condition, parsed."""

    text: str
    model: str | None
    distribution: str | None
    metric: str
    comparison: str
    number: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a condition.

        Raises:
            InvalidInput: It is not a condition.
        """
        found = CONDITION.fullmatch(text)
        try:
            number = float(found["number"]) if found else None
        except ValueError:
            number = None
        if found is None or number is None:
            metrics = ", ".join(METRICS)
            rule = f"must be like 'r2 < 0.9' or 'linear@sine.loss > 1', of {metrics}; this is {text!r}."
            raise InvalidInput(Problem("--fail-if", rule))
        model, metric = found["model"] or None, found["metric"]
        return cls(text, model, found["distribution"], metric, found["comparison"], number)

    def met_by(self, results: Iterable[ScoreView]) -> Iterator[str]:
        """Describe where the condition is met.

        Args:
            results: Of the requested models.

        Raises:
            InvalidInput: It applies to none of them.
        """
        applicable = [result for result in results if self._applies(result)]
        if not applicable:
            raise InvalidInput(Problem("--fail-if", f"{self.text!r} applies to no result."))
        for result in applicable:
            mean = getattr(value_of(result, self.metric), "mean", None)
            if mean is None or COMPARISONS[self.comparison](mean, self.number):
                shown = "not a finite number" if mean is None else f"{mean:.6g}"
                yield f"{result.learner}@{result.distribution}.{self.metric} is {shown}: {self.text}"

    def _applies(self, result: ScoreView) -> bool:
        return (
            value_of(result, self.metric) is not None
            and self.model in {None, result.learner}
            and self.distribution in {None, result.distribution}
        )
