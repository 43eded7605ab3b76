"""`gdssm eval`: models and reference learners on generated tasks, through the public API alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from pydantic import ValidationError

from gdssm.evaluation.evaluate import Candidate, evaluate, result_count
from gdssm.evaluation.suites import SUITES
from service.commands.evaluated_table import (
    EvaluatedTable,
    assessment_fields,
    assessment_lines,
    assessments,
    read_table,
)
from service.commands.options import example, json_option, print_json, progress, service_options
from service.commands.table_options import TableOptions, table_options
from service.errors import InvalidInput, Problem
from service.evaluations import comparison
from service.evaluations.models import candidate
from service.evaluations.report import Report, markdown, text
from service.evaluations.request import EvaluationRequest
from service.evaluations.result import view
from service.evaluations.thresholds import Threshold
from service.inference.artifact import Manifest
from service.schemas.evaluations import EvaluatedModel
from service.tables.assessing import Assessment

if TYPE_CHECKING:
    from gdssm_client.client import Client


TOGETHER = "--data and --target are used together, and without --suite."


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
@table_options
@click.option("--model", "models", multiple=True, required=True, metavar="NAME", help="Model to evaluate; repeatable.")
@click.option("--seed", type=int, default=0, show_default=True, help="Decides the tasks.")
@click.option("--tasks", type=int, default=200, show_default=True, help="Tasks of each distribution.")
@click.option("--queries", type=int, default=4, show_default=True, help="Queries of each task.")
@click.option("--observations", type=int, default=10, show_default=True, help="Length of the context of all metrics.")
@click.option(
    "--curve", default="1,2,5,10,20,50", show_default=True, help="Lengths of the context on the learning curve."
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Directory of the report.")
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
@json_option
def command(
    *,
    url: str | None,
    api_key: str | None,
    out: Path | None,
    thresholds: tuple[str, ...],
    baseline: Path | None,
    data: Path | None,
    target: str | None,
    suite: str | None,
    models: tuple[str, ...],
    as_json: bool,
    **options: Any,  # noqa: ANN401  (validated by the request, or fields of TableOptions)
) -> None:
    """Evaluate models of a service, or shipped models, and reference learners.

    Prints the results; with --out also writes evaluation.json, evaluation.md and evaluation.svg. POST /v1/evaluations
    with the same seed and sizes gives exactly the same numbers. --data takes any table: its categories, times and gaps
    become numbers as for `gdssm predict`, and without --url the models are first compared with the mean, ridge
    regression and a random forest by cross-validation, in the unit of the target.
    """
    from gdssm_client import Client  # noqa: PLC0415  (httpx is an extra)

    if data and suite:
        raise InvalidInput(Problem("", TOGETHER))
    reading = TableOptions(**{name: options.pop(name) for name in TableOptions.__dataclass_fields__})
    table = _table(data, target, reading, has_others=bool(url or out or thresholds or baseline))
    is_compared = table is not None and bool(table.schema.classes)
    request = None if is_compared else _request(table, suite, models=models, **options)
    conditions = [Threshold.parse(condition) for condition in thresholds]
    before = None if baseline is None else _read(baseline)
    assessed = []
    if data is not None and table is not None and url is None:
        assessed = assessments(data, reading, table.schema, models)
        click.echo("" if as_json else "\n".join(assessment_lines(assessed, table.schema)), nl=not as_json)
    if request is None:
        if as_json:
            print_json(_fields(assessed))
        return
    with Client(url, api_key=api_key) as client:
        report = _evaluate(client, request)
    if not as_json:
        click.echo(text(report))
    if out is not None:
        _write(report, out)
    worse = [] if before is None else list(comparison.regressions(before, report))
    met = [one for condition in conditions for one in condition.met_by(report.own_results)]
    if as_json:
        print_json(_fields(assessed, report, worse, met))
    for line in [*(f"Worse: {one}" for one in worse), *(f"Failed: {one}" for one in met)]:
        click.echo(line, err=True)
    if worse or met:
        raise click.exceptions.Exit(1)


def _table(data: Path | None, target: str | None, reading: TableOptions, *, has_others: bool) -> EvaluatedTable | None:
    """Read the table of --data.

    Args:
        data: The file; None if there is none.
        target: The column to predict; with `data` only.
        reading: How the file is read.
        has_others: Whether there are options that a table of classes excludes.

    Raises:
        InvalidInput: Options exclude each other, or the file cannot be read.
    """
    if (data is None) != (target is None):
        raise InvalidInput(Problem("", TOGETHER))
    if data is None or target is None:
        return None
    table = read_table(data, target, reading)
    if table.schema.classes and has_others:
        what = f"holds classes ({target!r}); only the comparison is made of it, without --url, --out, --fail-if"
        raise InvalidInput(Problem("--target", f"{what} and --baseline. Leave them out."))
    return table


def _fields(
    assessed: Sequence[Assessment], report: Report | None = None, worse: Sequence[str] = (), met: Sequence[str] = ()
) -> dict[str, object]:
    """Write the results as a value of JSON."""
    compared = list(map(assessment_fields, assessed))
    return {"assessments": compared, "report": report, "worse": worse, "failed": met}


def _request(table: EvaluatedTable | None, suite: str | None, *, curve: str, **sizes: Any) -> EvaluationRequest:  # noqa: ANN401
    try:
        lengths = [int(part) for part in curve.split(",") if part.strip()]
    except ValueError as error:
        problem = Problem("--curve", f"must be integers separated by commas, such as 1,10,50; this is {curve!r}.")
        raise InvalidInput(problem) from error
    data = None
    if table is not None:
        data = {"x": table.x.tolist(), "y": table.y.tolist()}
        source = click.get_current_context().get_parameter_source
        fixed = {name for name in ("curve", "queries", "observations") if source(name) != ParameterSource.DEFAULT}
        lengths = _fit(len(table.y), lengths, sizes, fixed)
    try:
        fields = {"curve": lengths, "suite": "data" if data else suite or "paper", "data": data, **sizes}
        return EvaluationRequest.model_validate(fields)
    except ValidationError as error:
        found = error.errors()[0]
        name = str(found["loc"][0]) if found["loc"] else ""
        raise InvalidInput(Problem(f"--{name}" if name else "", f"is refused: {found['msg']}.")) from error


def _fit(rows: int, curve: list[int], sizes: dict[str, Any], fixed: set[str]) -> list[int]:
    """Choose sizes that a table has rows for, and return the lengths of the curve.

    Args:
        rows: Of the table.
        curve: Lengths of the context on the learning curve.
        sizes: Has queries and observations; changed unless they are fixed.
        fixed: The sizes that the caller gave.

    Raises:
        InvalidInput: A given size needs more rows; names its option.
    """
    if "queries" not in fixed:
        sizes["queries"] = max(1, min(sizes["queries"], rows // 4))
    longest = rows - sizes["queries"]
    for name, values in (("observations", [sizes["observations"]]), ("curve", curve)):
        if name in fixed and max(values, default=0) > longest:
            text = f"has {max(values)} observations, and a task {sizes['queries']} queries (--queries); the table has"
            raise InvalidInput(Problem(f"--{name}", f"{text} {rows} rows with a target. Give at most {longest}."))
    if "observations" not in fixed:
        sizes["observations"] = max(1, min(sizes["observations"], longest))
    return curve if "curve" in fixed else [length for length in curve if length <= longest]


def _evaluate(client: "Client", request: EvaluationRequest) -> Report:
    manifests = [Manifest.model_validate(asdict(client.model(name))) for name in request.models]
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
