"""A prediction as a response: JSON, or safetensors if the header Accept names it.

A safetensors response has the tensors `prediction` and, if requested, `lower` and `upper`, `quantiles` (with one more
axis, the first), `contributions`, `implicit_weights`, `intercept`, `effects.*`, `pairs.*` and `blocks.*` (see
`explaining.as_tensors`). Its metadata has `model`, `version`, `sha256` and `n_observations`, for a context
`context_version`, and, if there are any, `notes` (codes) and `blocks` (names), separated by commas.
"""

from pydantic_core import to_json
from starlette.requests import HTTPConnection

from service.api.body import JSON
from service.api.endpoint import PreparedResponse
from service.api.media_types import accepted_type
from service.api.request import headers_of
from service.explaining.as_tensors import tensors_of_blocks, tensors_of_effects, tensors_of_pairs
from service.explaining.terms import Explanation
from service.inference.predictor import Prediction
from service.inference.sizes import Array
from service.inference.tensors import pack
from service.schemas.explanations import ExplanationAnswer

SAFETENSORS = "application/vnd.safetensors"


def accepts_safetensors(request: HTTPConnection) -> bool:
    """Return whether the header Accept prefers safetensors to JSON."""
    accept = headers_of(request.scope).get(b"accept")
    if accept is None or b"safetensors" not in accept.lower():
        return False
    return accepted_type(accept.decode("latin-1"), (SAFETENSORS,)) is not None


def response_of(
    prediction: Prediction,
    explanation: Explanation | None,
    *,
    binary: bool,
    context_version: int | None = None,
) -> PreparedResponse:
    """Write a prediction as a response.

    Args:
        prediction: Of the model.
        explanation: Of the prediction, if requested.
        binary: Whether to write safetensors, in the model's precision; else JSON.
        context_version: The version of the context that predicted, if one did.
    """
    if binary:
        return PreparedResponse(_safetensors(prediction, explanation, context_version), SAFETENSORS)
    return PreparedResponse(_json(prediction, explanation, context_version), JSON)


def distribution_of(prediction: Prediction) -> dict[str, object]:
    """Return the fields of a `DistributionAnswer`; NaN, where there is no interval, becomes null in JSON."""
    fields: dict[str, object] = {}
    if prediction.lower is not None and prediction.upper is not None:
        fields["interval"] = {"lower": prediction.lower.tolist(), "upper": prediction.upper.tolist()}
    if prediction.quantiles is not None:
        fields["quantiles"] = prediction.quantiles.tolist()
    if prediction.notes:
        fields["notes"] = [
            {name: value for name, value in note._asdict().items() if value is not None} for note in prediction.notes
        ]
    return fields


def _json(prediction: Prediction, explanation: Explanation | None, context_version: int | None) -> bytes:
    """Write a `PredictAnswer`, or a `ContextPrediction` if there is a version; model outputs need no validation."""
    model = prediction.model
    fields: dict[str, object] = {
        "prediction": prediction.prediction.tolist(),
        "model": {"name": model.name, "version": model.version, "sha256": model.file_sha256},
        "n_observations": prediction.n_observations,
    }
    if context_version is not None:
        fields["version"] = context_version
    if explanation is not None:
        fields["explanation"] = ExplanationAnswer.of(explanation)
    return to_json(fields | distribution_of(prediction), exclude_none=True, inf_nan_mode="null")


def _safetensors(prediction: Prediction, explanation: Explanation | None, context_version: int | None) -> bytes:
    model = prediction.model
    metadata = {
        "model": model.name,
        "version": model.version,
        "sha256": model.file_sha256,
        "n_observations": str(prediction.n_observations),
    }
    if context_version is not None:
        metadata["context_version"] = str(context_version)
    if prediction.notes:
        metadata["notes"] = ",".join(note.code for note in prediction.notes)
    if explanation and explanation.blocks:
        metadata["blocks"] = ",".join(block.block for block in explanation.blocks)
    optional = {"lower": prediction.lower, "upper": prediction.upper, "quantiles": prediction.quantiles}
    tensors = {"prediction": prediction.prediction}
    tensors |= {name: array for name, array in optional.items() if array is not None}
    tensors |= _explanation_tensors(explanation, prediction.prediction.shape[1:])
    return pack(tensors, metadata)


def _explanation_tensors(explanation: Explanation | None, shape: tuple[int, ...]) -> dict[str, Array]:
    tensors: dict[str, Array] = {}
    if explanation is None:
        return tensors
    if explanation.contributions is not None:
        tensors["contributions"] = explanation.contributions
    if explanation.implicit_weights:
        tensors["implicit_weights"] = explanation.implicit_weights.weights
        tensors["intercept"] = explanation.implicit_weights.intercept
    if explanation.effects:
        tensors |= tensors_of_effects(explanation.effects)
    if explanation.pairs is not None:
        tensors |= tensors_of_pairs(explanation.pairs, shape)
    if explanation.blocks:
        tensors |= tensors_of_blocks(explanation.blocks)
    return tensors
