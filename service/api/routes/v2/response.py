"""The response to an inference: the requested outputs, each as JSON or as bytes after the JSON."""

from collections.abc import Mapping

from fastapi import Response

from service.api.body import JSON
from service.api.routes.v2 import binary, json_codec
from service.api.routes.v2.schemas import AnswerParameters, InferAnswer, InferOutput, InferRequest, RequestedOutput
from service.errors import InvalidInput, Problem
from service.inference.artifact import Manifest
from service.inference.sizes import Array

BOUNDS = ("lower", "upper")
"""Outputs of models that give a scale, if the parameter `interval` is sent."""


def check(request: InferRequest, manifest: Manifest) -> None:
    """Check, before anything is computed, that a request is for this model and requests outputs of it.

    Raises:
        InvalidInput: It is for another model, or an output is unknown or requested twice.
    """
    known = [spec.name for spec in manifest.outputs] + ([*BOUNDS] if manifest.gives_scale else [])
    problems = [
        Problem(field, f"is {sent!r}; the address is that of {addressed!r}. Leave it out, or send the same.")
        for field, sent, addressed in (
            ("model_name", request.model_name, manifest.name),
            ("model_version", request.model_version, manifest.version),
        )
        if sent not in {None, "", addressed}
    ]
    wanted = [output.name for output in request.outputs or []]
    problems += [
        Problem(f"outputs[{i}].name", f"{name!r} is {what}. Model {manifest.name} has {', '.join(known)}, each once.")
        for i, name in enumerate(wanted)
        for what, wrong in (("not an output", name not in known), ("repeated", name in wanted[:i]))
        if wrong
    ]
    if problems:
        raise InvalidInput(*problems)


def response_of(request: InferRequest, manifest: Manifest, outputs: Mapping[str, Array]) -> Response:
    """Write the outputs of a checked request; by default all outputs but `unusual` ones."""
    requested = request.outputs or [RequestedOutput(name=name) for name in outputs if name not in unusual(manifest)]
    written: list[InferOutput] = []
    tensors: list[bytes] = []
    for output in requested:
        if _as_bytes(output, request):
            description, content = binary.write(output.name, outputs[output.name])
            tensors.append(content)
        else:
            description = json_codec.write(output.name, outputs[output.name])
        written.append(description)
    json = InferAnswer(
        id=request.id,
        model_name=manifest.name,
        model_version=manifest.version,
        parameters=AnswerParameters(sha256=manifest.file_sha256),
        outputs=written,
    ).model_dump_json(exclude_none=True)
    return _response(json.encode(), tensors)


def unusual(manifest: Manifest) -> set[str]:
    """Return the outputs that are sent only if they are requested."""
    return {spec.name for spec in manifest.outputs} - {spec.name for spec in manifest.usual_outputs}


def _as_bytes(output: RequestedOutput, request: InferRequest) -> bool:
    requested = output.parameters and output.parameters.binary_data
    return request.binary_data_output if requested is None else bool(requested)


def _response(json: bytes, tensors: list[bytes]) -> Response:
    if not tensors:
        return Response(json, media_type=JSON)
    return Response(
        b"".join([json, *tensors]), headers={binary.JSON_LENGTH_HEADER: str(len(json))}, media_type=binary.CONTENT_TYPE
    )
