"""Reports made by hand."""

from service.evaluations.report import Report
from service.evaluations.request import EvaluationRequest
from service.evaluations.result import IntervalView, PointView, ScoreView
from service.schemas.evaluations import EvaluatedModel


def interval(mean: float | None, margin: float = 0.1) -> IntervalView:
    if mean is None:
        return IntervalView(mean=None, low=None, high=None)
    return IntervalView(mean=mean, low=mean - margin, high=mean + margin)


def score(distribution: str, learner: str, **metrics: float | None) -> ScoreView:
    """A result whose metrics are 1, each ± 0.1, but for those that are given; intervals only as given."""
    names = ("loss", "r2", "relative_prediction_difference", "sensitivity_cosine")
    values = {name: interval(value) for name, value in {**dict.fromkeys(names, 1.0), **metrics}.items()}
    curve = tuple(PointView(observations=n, loss=interval(1 / n, 0.01)) for n in (1, 5))
    return ScoreView(distribution=distribution, learner=learner, curve=curve, **values)


def report(*results: ScoreView, seed: int = 0, models: tuple[str, ...] = ("linear",)) -> Report:
    request = EvaluationRequest(models=models, seed=seed)
    about = tuple(EvaluatedModel(name=name, version="1.0.0", sha256="0" * 64) for name in models)
    return Report(request=request, models=about, results=results)
