"""What a model made, as it was asked for: which outputs, and each as JSON or as bytes behind it."""

from collections.abc import Mapping

from fastapi import Response

from service.api.body import JSON
from service.api.routes.v2 import binary, json_codec
from service.api.routes.v2.schemas import AnswerParameters, InferAnswer, InferOutput, InferRequest, RequestedOutput
from service.errors import InvalidInput, Problem
from service.inference.artifact import Manifest
from service.inference.sizes import Array

BOUNDS = ("lower", "upper")
"""Outputs of models that give a scale, where the parameter `interval` is given."""


def check(request: InferRequest, manifest: Manifest) -> None:
    """See, before anything is computed, that the request is meant for this model and asks for what it makes.

    Raises:
        InvalidInput: It is not, or an output is unknown or wanted twice.
    """
    known = [spec.name for spec in manifest.outputs] + ([*BOUNDS] if manifest.gives_scale else [])
    problems = [
        Problem(field, f"is {sent!r}; the address is that of {there!r}. Leave it out, or send the two alike.")
        for field, sent, there in (
            ("model_name", request.model_name, manifest.name),
            ("model_version", request.model_version, manifest.version),
        )
        if sent not in {None, "", there}
    ]
    wanted = [output.name for output in request.outputs or []]
    problems += [
        Problem(f"outputs[{i}].name", f"{name!r} is {what}. Model {manifest.name} has {', '.join(known)}, each once.")
        for i, name in enumerate(wanted)
        for what, wrong in (("not an output", name not in known), ("there twice", name in wanted[:i]))
        if wrong
    ]
    if problems:
        raise InvalidInput(*problems)


def answer(request: InferRequest, manifest: Manifest, outputs: Mapping[str, Array]) -> Response:
    """Write the outputs that a checked request asks for; all if it names none."""
    wanted = request.outputs or [RequestedOutput(name=name) for name in outputs if name not in unusual(manifest)]
    written: list[InferOutput] = []
    behind: list[bytes] = []
    for output in wanted:
        if _as_bytes(output, request):
            about, content = binary.write(output.name, outputs[output.name])
            behind.append(content)
        else:
            about = json_codec.write(output.name, outputs[output.name])
        written.append(about)
    json = InferAnswer(
        id=request.id,
        model_name=manifest.name,
        model_version=manifest.version,
        parameters=AnswerParameters(sha256=manifest.file_sha256),
        outputs=written,
    ).model_dump_json(exclude_none=True)
    return _response(json.encode(), behind)


def unusual(manifest: Manifest) -> set[str]:
    """Name the outputs that are answered only if they are named."""
    return {spec.name for spec in manifest.outputs} - {spec.name for spec in manifest.usual_outputs}


def _as_bytes(output: RequestedOutput, request: InferRequest) -> bool:
    said = output.parameters and output.parameters.binary_data
    return request.binary_data_output if said is None else bool(said)


def _response(json: bytes, behind: list[bytes]) -> Response:
    if not behind:
        return Response(json, media_type=JSON)
    return Response(
        b"".join([json, *behind]), headers={binary.JSON_LENGTH_HEADER: str(len(json))}, media_type=binary.CONTENT_TYPE
    )
