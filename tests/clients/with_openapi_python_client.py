"""The client that openapi-python-client generates: `python with_openapi_python_client.py URL KEY ADMIN_KEY`.

`gdssm_api`, the generated package, is on the path.
"""

import io
import pkgutil
import sys
import time
from importlib import import_module
from types import NoneType
from typing import Any

import gdssm_api.api
import httpx
from gdssm_api import AuthenticatedClient, models
from gdssm_api.types import File
from reporting import report

URL, _, ADMIN_KEY = sys.argv[1:]
CLIENT = AuthenticatedClient(base_url=URL, token=ADMIN_KEY, timeout=httpx.Timeout(60))

PACKAGES = pkgutil.walk_packages(gdssm_api.api.__path__, "gdssm_api.api.")
MODULES = {module.name.rpartition(".")[2]: module.name for module in PACKAGES if not module.ispkg}
"""The module of each operation."""
CALLED: set[str] = set()
"""Operations that have answered with what the document says."""

ROWS = [[1.0, 20.0], [2.0, 10.0], [3.0, 30.0], [4.0, 20.0], [5.0, 10.0], [6.0, 30.0]]
Y = [3.1, 4.9, 7.2, 9.0, 11.1, 12.8]
PREDICTED = [14.601063590967417, 16.394823862302985]
LOWER = [12.431840869750555, 13.473922897276328]
"""Of the README."""
HOUSES = [{"size": 40 + 7 * i, "town": ["Bern", "Basel"][i % 2], "price": 150.0 + 21 * i} for i in range(12)]
LINE = {
    "inputs": [
        {"name": "x", "shape": [1, 3, 1], "datatype": "FP64", "data": [1, 2, None]},
        {"name": "y", "shape": [1, 3, 1], "datatype": "FP64", "data": [2, 4, 5]},
        {"name": "x_query", "shape": [1, 1, 1], "datatype": "FP64", "data": [3]},
    ],
    "outputs": [{"name": "prediction"}],
}


def call(operation: str, answer: type, *path: str, **arguments: object) -> Any:  # noqa: ANN401  (an instance of `answer`)
    """Call an operation; it must succeed, and answer with a class."""
    response = import_module(MODULES[operation]).sync_detailed(*path, client=CLIENT, **arguments)
    assert response.status_code < 300, (operation, response.content)
    assert type(response.parsed) is answer, (operation, type(response.parsed), response.content)
    CALLED.add(operation)
    return response.parsed


def is_close(found: object, expected: list[float]) -> bool:
    return isinstance(found, list) and all(abs(a - b) < 1e-6 for a, b in zip(found, expected, strict=True))


def readme() -> None:
    context = call("create_context", models.ContextAnswer, body=models.CreateContext())
    for part in (slice(3), slice(3, 6)):
        observations = models.NewObservations(x=ROWS[part], y=Y[part])
        call("observe", models.ContextAnswer, context.id, body=observations)
    query = models.ContextQuery(query=[[7.0, 20.0], [8.0, 10.0]], interval=0.9)
    found = call("predict_from_context", models.ContextPrediction, context.id, body=query)
    assert is_close(found.prediction, PREDICTED)
    assert is_close(found.interval.lower, LOWER)
    assert found.n_observations == 6


def predictions() -> None:
    arrays = models.PredictRequest.from_dict({"context": {"x": ROWS, "y": Y}, "query": [[7, 20], [8, 10]]})
    assert is_close(call("predict", models.PredictAnswer, body=arrays).prediction, PREDICTED)
    arrays.explain = True
    explanation = call("predict", models.PredictAnswer, body=arrays).explanation
    assert len(explanation.effects.columns) == 2
    wanted = {"rows": HOUSES, "target": "price", "query": [{"size": 70, "town": "Basel"}]}
    found = call("predict", models.TablePredictAnswer, body=models.TablePredictRequest.from_dict(wanted))
    assert [column.name for column in found.columns] == ["size", "town", "price"]
    file = File(payload=io.BytesIO(b"size,price\n50,200\n60,240\n70,280\n80,\n"))
    assert call("predict", models.TablePredictAnswer, body=file, target="price").rows == [3]
    looked = call("inspect", models.InspectAnswer, body=models.InspectRequest.from_dict({"rows": HOUSES}))
    assert looked.rows == len(HOUSES)
    assessed = models.AssessRequest.from_dict({"rows": HOUSES, "target": "price"})
    assert call("assess_table", models.AssessAnswer, body=assessed).scores[0].method == "nonlinear"


def contexts() -> None:
    for n_observations in (0, 12):  # created, and found
        found = call("put_context_by_name", models.ContextAnswer, "sensor 7", body=models.NamedContext(ttl=3600))
        assert found.n_observations == n_observations
        body = models.NewObservations(x=[*ROWS, *ROWS], y=[*Y, *Y])
        call("observe", models.ContextAnswer, found.id, body=body)
    assert call("get_context_by_name", models.ContextView, "sensor 7").digits_left > 6
    change = models.ContextChange.from_dict({"labels": {"site": "berlin"}})
    assert call("amend_context", models.ContextAnswer, found.id, body=change).labels["site"] == "berlin"
    fading = models.CreateContext(decay=0.5)
    assert call("create_context", models.ContextAnswer, body=fading).decay == 0.5
    (listed,) = call("list_contexts", models.ContextPage, label=["site:berlin"], limit=10).contexts
    assert listed.id == found.id
    archive = call("export_context", File, found.id)
    copy = call("import_context", models.ContextAnswer, body=archive, ttl=60)
    other = models.MergeRequest(context=copy.id)
    assert call("merge_context", models.ContextAnswer, found.id, body=other).n_observations == 48
    call("delete_context", NoneType, copy.id)
    assert call("get_context", models.ContextView, found.id).implicit_weights is None


def contexts_of_rows() -> None:
    first = models.TableCreateContext.from_dict({"rows": HOUSES, "target": "price"})
    context = call("create_context", models.ObservedContext, body=first)
    rows = models.TableObservations.from_dict({"rows": HOUSES[:2]})
    assert call("observe", models.ObservedContext, context.id, body=rows).findings == []
    query = models.TableContextQuery.from_dict({"query": [{"size": 70, "town": "Chur"}]})
    found = call("predict_from_context", models.TableContextPrediction, context.id, body=query)
    assert found.findings[0].what == "new_level"


def batches() -> None:
    item = {"name": "batch", "x": ROWS, "y": Y}
    observations = models.ObservationItems.from_dict({"items": [item], "create": {}})
    (learnt,) = call("observe_batch", models.ObservationResults, body=observations).results
    assert isinstance(learnt, models.ObservedItem)
    columns = models.QueryColumns.from_dict({"names": ["batch", "none"], "query": [[7, 20], [8, 10]]})
    found = call("predict_batch", models.PredictionResults, body=columns).results
    assert [type(one) for one in found] == [models.PredictedItem, models.FailedItem]
    assert is_close(found[0].prediction, PREDICTED[:1])


def served_models() -> None:
    listed = call("list_models", models.ModelList)
    inputs = {model.name: model.dims["D"] for model in listed.models}
    assert (inputs["linear"], inputs["linear-trained"]) == ("any", 10)
    manifest = call("get_model", models.Manifest, listed.default)
    assert manifest == call("get_model_version", models.Manifest, manifest.name, manifest.version)
    assert manifest.dims["K"] == "any"


def evaluations() -> None:
    sizes = {"models": ["linear"], "tasks": 2, "queries": 1, "observations": 2, "curve": [1]}
    started = call("start_evaluation", models.EvaluationAnswer, body=models.EvaluationRequest.from_dict(sizes))
    deadline = time.monotonic() + 300
    while (found := call("get_evaluation", models.EvaluationView, started.id)).status in ("queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert found.status == "done"
    assert len(found.results) == found.total
    assert "event: end" in call("stream_evaluation_events", str, started.id)
    assert call("cancel_evaluation", models.EvaluationAnswer, started.id).status == "done"
    assert call("list_evaluations", models.EvaluationPage).evaluations[0].id == started.id


def protocol() -> None:
    assert call("get_server_metadata", models.ServerMetadata).name == "gdssm"
    for operation, answer in (
        ("check_liveness", models.Health),
        ("check_readiness", models.Health),
        ("check_server_liveness", models.ServerLive),
        ("check_server_readiness", models.ServerReady),
    ):
        call(operation, answer)
    assert "gdssm_build_info" in call("get_metrics", str)
    for path, operations in {
        ("linear",): ("check_model", "get_model_metadata", "infer_newest"),
        ("linear", "2.0.0"): ("check_model_version", "get_model_version_metadata", "infer_version"),
    }.items():
        ready, metadata, infer = operations
        assert call(ready, models.ModelReady, *path).name == "linear"
        assert call(metadata, models.ModelMetadata, *path).inputs
        (output,) = call(infer, models.InferAnswer, *path, body=models.InferRequest.from_dict(LINE)).outputs
        assert output.shape == [1, 1, 1]
    call("unload_model", models.Done, "gd-8", body=models.UnloadRequest())
    states = {model.name: model.state for model in call("index_repository", list, body=models.IndexRequest())}
    assert states["gd-8"] == "UNAVAILABLE"
    call("load_model", models.Done, "gd-8", body=models.LoadRequest())


def every_operation() -> None:
    paths = httpx.get(f"{URL}/openapi.json").json()["paths"]
    documented = {operation["operationId"] for operations in paths.values() for operation in operations.values()}
    assert documented == {*MODULES}, documented ^ {*MODULES}
    assert documented == CALLED, documented - CALLED


report(
    [
        readme,
        predictions,
        contexts,
        contexts_of_rows,
        batches,
        served_models,
        evaluations,
        protocol,
        every_operation,
    ]
)
