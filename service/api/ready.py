"""An answer of 200 that is ready to be sent, and a prediction as one."""

from fastapi import Response
from pydantic_core import to_json

from service.api.body import JSON
from service.explaining.terms import Explanation
from service.predictor import Prediction
from service.schemas.explanations import ExplanationAnswer


class PreparedResponse(Response):
    """Starlette's response, without working out the general case of its headers.

    Args:
        content: The whole of it.
        media_type: What that is.
    """

    def __init__(self, content: bytes, media_type: str) -> None:
        self.status_code, self.background, self.body = 200, None, content
        self.raw_headers = [(b"content-length", b"%d" % len(content)), (b"content-type", media_type.encode())]


def json_of(answer: Prediction, explanation: Explanation | None, **more: object) -> PreparedResponse:
    """Write a prediction as JSON, as `binary.answer_of` does as safetensors; `more` is further told about it.

    It is a `PredictAnswer` or a `ContextPrediction`; what comes out of the model needs no validation.
    """
    model = answer.model
    content: dict[str, object] = {
        "prediction": answer.prediction.tolist(),
        "model": {"name": model.name, "version": model.version, "sha256": model.file_sha256},
        "n_observations": answer.n_observations,
        **more,
    }
    if explanation is not None:
        content["explanation"] = ExplanationAnswer.of(explanation)
    return PreparedResponse(to_json(content | distribution_of(answer), exclude_none=True, inf_nan_mode="null"), JSON)


def distribution_of(answer: Prediction) -> dict[str, object]:
    """Write what came with a prediction, as a `DistributionAnswer`; NaN, where there is no interval, becomes null."""
    content: dict[str, object] = {}
    if answer.lower is not None and answer.upper is not None:
        content["interval"] = {"lower": answer.lower.tolist(), "upper": answer.upper.tolist()}
    if answer.quantiles is not None:
        content["quantiles"] = answer.quantiles.tolist()
    if answer.notes:
        content["notes"] = [
            {name: value for name, value in note._asdict().items() if value is not None} for note in answer.notes
        ]
    return content
