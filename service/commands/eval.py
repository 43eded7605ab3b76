"""`gdssm eval`: models and reference learners on generated tasks, through the public API alone."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError

from gdssm.evaluation.evaluate import Candidate, evaluate, result_count
from gdssm.evaluation.suites import SUITES
from service.commands.options import example, progress, service_options
from service.errors import InvalidInput, Problem
from service.evaluations import comparison
from service.evaluations.models import candidate
from service.evaluations.report import Report, markdown
from service.evaluations.request import EvaluationRequest
from service.evaluations.result import view
from service.evaluations.thresholds import Threshold
from service.files.prediction_job import open_job
from service.schemas.evaluations import EvaluatedModel

if TYPE_CHECKING:
    from service.client.client import Client


@click.command(
    "eval",
    epilog=example(
        "gdssm eval --url http://127.0.0.1:8000 --suite paper --model linear --out results \\\n"
        '    --fail-if "linear.r2 < 0.5" --baseline before/evaluation.json'
    ),
)
@service_options
@click.option("--suite", type=click.Choice([*SUITES]), help="Suite of tasks; paper if left out.")
@click.option(
    "--data", type=click.Path(path_type=Path), metavar="FILE", help="Draw tasks as splits of its rows instead."
)
@click.option("--target", metavar="COLUMN", help="Column of --data to predict.")
@click.option("--model", "models", multiple=True, required=True, metavar="NAME", help="Model to evaluate; repeatable.")
@click.option("--seed", type=int, default=0, show_default=True, help="Decides the tasks.")
@click.option("--tasks", type=int, default=200, show_default=True, help="Tasks of each distribution.")
@click.option("--queries", type=int, default=4, show_default=True, help="Queries of each task.")
@click.option("--observations", type=int, default=10, show_default=True, help="Length of the context of all metrics.")
@click.option(
    "--curve", default="1,2,5,10,20,50", show_default=True, help="Lengths of the context on the learning curve."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Directory of the report.")
@click.option(
    "--fail-if",
    "thresholds",
    multiple=True,
    metavar="CONDITION",
    help="Such as 'r2 < 0.9', 'linear.coverage_90 < 0.85', 'linear@sine.r2 < 0': exit status 1 if met; repeatable.",
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="An earlier evaluation.json: exit status 1 if worse.",
)
def command(
    *,
    url: str | None,
    api_key: str | None,
    out: Path,
    thresholds: tuple[str, ...],
    baseline: Path | None,
    **request_options: Any,  # noqa: ANN401  (validated by the request)
) -> None:
    """Evaluate models of a service, or shipped models, and reference learners.

    Writes evaluation.json, evaluation.md and evaluation.svg. POST /v1/evaluations with the same
    seed and sizes gives exactly the same numbers.
    """
    from service.client import Client  # noqa: PLC0415  (httpx is an extra)

    request = _request(**request_options)
    conditions = [Threshold.parse(text) for text in thresholds]
    before = None if baseline is None else _read(baseline)
    with Client(url, api_key=api_key) as client:
        report = _evaluate(client, request)
    _write(report, out)
    worse = [] if before is None else list(comparison.regressions(before, report))
    met = [text for condition in conditions for text in condition.met_by(report.own_results)]
    for text in [*(f"Worse: {text}" for text in worse), *(f"Failed: {text}" for text in met)]:
        click.echo(text, err=True)
    if worse or met:
        raise click.exceptions.Exit(1)


def _request(
    curve: str, suite: str | None, data: Path | None, target: str | None, **sizes: object
) -> EvaluationRequest:
    if (data is None) != (target is None) or (data and suite):
        raise InvalidInput(Problem("", "--data and --target are used together, and without --suite."))
    table = None if data is None or target is None else _rows(data, target)
    try:
        lengths = [int(part) for part in curve.split(",") if part.strip()]
        fields = {"curve": lengths, "suite": "data" if table else suite or "paper", "data": table, **sizes}
        return EvaluationRequest.model_validate(fields)
    except ValidationError as error:
        found = error.errors()[0]
        name = str(found["loc"][0]) if found["loc"] else ""
        raise InvalidInput(Problem(f"--{name}" if name else "", f"is refused: {found['msg']}.")) from error
    except ValueError as error:
        problem = Problem("--curve", f"must be integers separated by commas, such as 1,10,50; this is {curve!r}.")
        raise InvalidInput(problem) from error


def _rows(path: Path, target: str) -> dict[str, Any]:
    with open_job(path, path, target) as job:
        chunks = list(job.observations())
    return {"x": [row for chunk in chunks for row in chunk.x.tolist()], "y": [y for c in chunks for y in c.y.tolist()]}


def _evaluate(client: "Client", request: EvaluationRequest) -> Report:
    manifests = [client.model(name) for name in request.models]
    candidates: Mapping[str, Candidate] = {
        manifest.name: candidate(partial(client.infer, manifest.name, version=manifest.version), manifest)
        for manifest in manifests
    }
    suite, results = request.distributions(), []
    with progress(result_count(suite, candidates), "Evaluating") as bar:
        for result in evaluate(request.plan(), suite, candidates):
            results.append(view(result))
            bar.update(1)
    models = tuple(EvaluatedModel(name=m.name, version=m.version, sha256=m.sha256) for m in manifests)
    return Report(request=request, models=models, results=tuple(results))


def _read(path: Path) -> Report:
    try:
        return Report.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InvalidInput(Problem(str(path), f"cannot be read ({error.strerror}).")) from error
    except ValidationError as error:
        raise InvalidInput(Problem(str(path), "is not an evaluation.json of `gdssm eval`.")) from error


def _write(report: Report, out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in _files(report):
            (out / name).write_bytes(content)
            click.echo(f"Written: {out / name}", err=True)
    except OSError as error:
        raise InvalidInput(Problem(str(out), f"cannot be written ({error.strerror}).")) from error


def _files(report: Report) -> Iterator[tuple[str, bytes]]:
    yield "evaluation.json", (report.model_dump_json(indent=1) + "\n").encode()
    yield "evaluation.md", markdown(report).encode()
    try:
        from service.evaluations.drawing import curves  # noqa: PLC0415  (matplotlib is an extra)
    except ModuleNotFoundError as error:
        click.echo(f"No drawing: this needs {error.name}. Install it with: pip install 'gdssm[plot]'", err=True)
    else:
        yield "evaluation.svg", curves(report)
