"""The client against a running service, and against one in this process: the same answers."""

import gc
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import anyio
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse  # type: ignore[import-untyped]

from gdssm_client import AsyncClient, Client
from gdssm_client.errors import Conflict, InvalidArgument, InvalidInput, NotAllowed, NotFound, Unreachable
from gdssm_client.in_process import InProcess
from gdssm_client.schemas import EvaluationView
from tests.running import ROOT, Server, running

N, M, D, K = 23, 5, 3, 2
GENERATOR = np.random.default_rng(0)
X, QUERY = GENERATOR.normal(size=(N, D)), GENERATOR.normal(size=(M, D))
Y = X @ GENERATOR.normal(size=(D, K)) + 1.0
SMALL: dict[str, Any] = {"data": (X, Y[:, 0]), "tasks": 3, "queries": 1, "observations": 5, "curve": [2]}


@pytest.fixture(scope="module", params=["in process", "over HTTP"])
def client(request: pytest.FixtureRequest, server: Server) -> Iterator[Client]:
    with Client(None if request.param == "in process" else server.url) as client:
        yield client


def test_a_context_is_created_with_observations_and_shards(client: Client) -> None:
    x, y = [[1.0, None], [2.0, 3.0], [3.0, 1.0]], [1.0, 2.0, 3.0]
    created = client.contexts.create("linear", observations=(x, y), shards=2)
    observed = client.contexts.create("linear")
    observed.observe(x, y)
    assert (created.record.shards, created.record.n_observations) == (2, 3)
    query = [[4.0, 2.0]]
    assert created.predict(query).prediction == pytest.approx(observed.predict(query).prediction)


def test_prediction_has_the_kind_of_the_query(client: Client) -> None:
    expected = client.predict(X, Y, QUERY).prediction
    assert isinstance(expected, np.ndarray)
    names = {"a": QUERY[:, 0], "b": QUERY[:, 1], "c": QUERY[:, 2]}
    x = pd.DataFrame(X, columns=list("abc"))
    assert client.predict(X.tolist(), Y.tolist(), QUERY.tolist()).prediction == expected.tolist()
    pandas = client.predict(x, pd.DataFrame(Y, columns=["u", "v"]), pd.DataFrame(names)[list("cab")]).prediction
    pd.testing.assert_frame_equal(pandas, pd.DataFrame(expected, columns=["u", "v"]), check_exact=True)
    polars = client.predict(x, Y[:, 0], pl.DataFrame(names)).prediction
    assert isinstance(polars, pl.Series)
    np.testing.assert_allclose(polars.to_numpy(), expected[:, 0], rtol=1e-12)


def test_predict_sends_all_options(client: Client) -> None:
    options: dict[str, Any] = {"model": "gd-1", "version": "1.0.0", "parameters": {"learning_rate": 0.25}}
    answer = client.predict([[1.0], [2.0], [-1.0], [9.0]], [2, 4, -2, 0], [[3.0]], weight=[1, 1, 1, 0], **options)
    assert answer.prediction == pytest.approx([3.0])
    assert (answer.model, answer.version, len(answer.sha256), answer.n_observations) == ("gd-1", "1.0.0", 64, 4)
    assert answer.explanation is None
    for y in (Y, Y[:, 0]):
        explained = client.predict(X, y, QUERY, model="linear", explain=True)
        why: Any = explained.explanation
        np.testing.assert_allclose(QUERY @ why.weights + why.intercept, explained.prediction, rtol=1e-9)
        np.testing.assert_allclose(why.contributions.sum(axis=1), explained.prediction, rtol=1e-9)
        only: Any = client.predict(X, y, QUERY, model="linear", explain=["implicit_weights"]).explanation
        assert only.contributions is None


def test_context_observes_predicts_and_keeps_column_names(client: Client) -> None:
    context = client.contexts.create("linear", ttl=60)
    frame, price = pd.DataFrame(X, columns=list("abc")), pd.Series(Y[:, 0], name="price")
    context.observe(frame[:10], price[:10])
    record = context.observe(frame[10:][list("bca")], price[10:])
    assert (record.n_observations, record.inputs, record.version, record.ttl) == (N, D, 3, 60)
    assert context.record == record
    query = pd.DataFrame(QUERY, columns=list("abc"))[list("cab")]
    answer = context.predict(query, explain=["implicit_weights"])
    assert answer.prediction.name == "price"
    expected = client.predict(X, Y[:, 0], QUERY, model="linear")
    np.testing.assert_allclose(answer.prediction, expected.prediction, rtol=1e-9)
    assert (answer.n_observations, answer.context_version) == (N, 3)
    weights: Any = context.refresh().implicit_weights
    why: Any = answer.explanation
    np.testing.assert_allclose(why.weights, weights.weights, rtol=1e-12)
    np.testing.assert_allclose(context.predict(QUERY).prediction, answer.prediction, rtol=1e-12)
    context.observe(X[:1], Y[:1, 0], weight=[-1.0])
    assert "24 observations" in repr(context)


def test_context_export_load_merge_get_list_delete(client: Client) -> None:
    one, other = (client.contexts.create("gd-1") for _ in range(2))
    one.observe(X[:9], Y[:9])
    other.observe(X[9:], Y[9:])
    whole = client.contexts.load(one.export())
    assert whole.merge(other.id, if_version=1).n_observations == N
    np.testing.assert_allclose(
        whole.predict(QUERY, parameters={"learning_rate": 0.1}).prediction,
        client.predict(X, Y, QUERY, model="gd-1", parameters={"learning_rate": 0.1}).prediction,
        rtol=1e-9,
    )
    with pytest.raises(Conflict, match="version"):
        whole.observe(X, Y, if_version=1)
    assert client.contexts.get(whole.id).record.n_observations == N
    page = client.contexts.list(limit=1)
    assert len(page) == 1
    assert next(iter(client.contexts.list(after=page.after))).id != next(iter(page)).id
    whole.delete()
    with pytest.raises(NotFound, match=f"There is no context '{whole.id}'"):
        whole.refresh()


def test_models_and_manifests_are_listed(client: Client) -> None:
    models = client.models()
    assert models.default == "nonlinear"
    assert {"nonlinear", "linear", "gd-1"} <= {model.name for model in models.models}
    assert client.model("linear") == client.model("linear", "2.0.0")
    assert client.model("linear", "1.0.0").version == "1.0.0"
    assert client.model("gd-8").gradient_steps == 8


def test_infer_sends_and_returns_tensors(client: Client) -> None:
    x, y = X[None].astype(np.float32), Y[None]
    first = client.infer("gd-1", {"x": x, "y": y})
    state = {name.replace("next.", "state."): array for name, array in first.items() if name != "prediction"}
    tensors: dict[str, Any] = {**state, "x_query": QUERY[None], "learning_rate": 0.1}
    found = client.infer("gd-1", tensors, version="1.0.0")["prediction"]
    assert found.shape == (1, M, K)
    assert found.dtype == np.float64
    expected = client.predict(x[0], Y, QUERY, model="gd-1", parameters={"learning_rate": 0.1}).prediction
    np.testing.assert_allclose(found[0], expected, rtol=1e-9)


@pytest.mark.slow
def test_evaluation_is_submitted_and_waited_for(client: Client) -> None:
    evaluation = client.evaluations.submit(["linear"], **SMALL)
    found = [result.learner for result in evaluation.results()]
    record = evaluation.record
    assert (record.status, len(found), record.done) == ("done", record.total, record.total), record
    assert evaluation.wait() == record
    assert client.evaluations.get(evaluation.id).record == record
    assert evaluation.id in [each.id for each in client.evaluations.list()]


@pytest.mark.slow
def test_evaluation_of_own_data_is_cancelled(client: Client) -> None:
    own = pd.DataFrame(X), pd.DataFrame({"price": Y[:, 0]})
    evaluation = client.evaluations.submit(["linear"], data=own, tasks=4000, observations=5, curve=[2, 3])
    assert evaluation.cancel().status == "cancelled"
    assert evaluation.wait().suite == "data"


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"y": Y[:-1]}, InvalidInput, "has 22 entries"),
        ({"model": "cubic"}, NotFound, "There is no model 'cubic'"),
        ({"y": np.zeros((N, 0))}, InvalidInput, "y: is empty"),
        ({"x": X[:, 0]}, InvalidInput, r"x: must have 2 axes; .* Send one column as rows of one number."),
        ({"parameters": {"pace": 1.0}}, InvalidInput, "parameters.pace: is not a parameter of model nonlinear"),
        ({"weight": [["a"]]}, InvalidArgument, r"weight must be numbers; weight\[0\]\[0\] is the text 'a'"),
        ({"y": [None] * N}, InvalidArgument, r"y must be numbers; y\[0\] is missing"),
        ({"interval": "0.9"}, InvalidArgument, "interval must be a number; it is the text '0.9'"),
        ({"quantiles": [0.1, True]}, InvalidArgument, "quantiles must be a number; it is True. Send 1"),
        ({"parameters": {"pace": "1"}}, InvalidArgument, "parameters.pace must be a number; it is the text '1'"),
    ],
)
def test_errors_have_the_message_of_the_service(
    client: Client, change: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        client.predict(**{"x": X, "y": Y, "query": QUERY, **change})


def test_other_number_types_give_the_same_predictions(client: Client) -> None:
    expected = client.predict(X, Y[:, 0], QUERY, model="linear").prediction
    by_number, query = pd.DataFrame(X), pd.DataFrame(QUERY)[[2, 0, 1]]
    np.testing.assert_array_equal(client.predict(by_number, Y[:, 0], query, model="linear").prediction, expected)
    decimals = by_number.map(Decimal)
    np.testing.assert_array_equal(client.predict(decimals, Y[:, 0], query, model="linear").prediction, expected)
    rows = sparse.csr_array(X)
    np.testing.assert_array_equal(client.predict(rows, Y[:, 0], QUERY, model="linear").prediction, expected)
    context = client.contexts.create("linear")
    context.observe(by_number, pd.Series(Y[:, 0]))
    np.testing.assert_allclose(context.predict(query).prediction, expected, rtol=1e-9)


def test_a_masked_cell_is_a_missing_cell(client: Client) -> None:
    hidden = X > 1
    masked, gaps = np.ma.MaskedArray(X, hidden), np.where(hidden, np.nan, X)
    expected = client.predict(gaps, Y, QUERY, model="linear").prediction
    np.testing.assert_array_equal(client.predict(masked, Y, QUERY, model="linear").prediction, expected)
    with pytest.raises(InvalidInput, match=r"is missing; model gd-1 takes no missing cells"):
        client.predict(masked, Y, QUERY, model="gd-1")
    with pytest.raises(InvalidInput, match=r"is missing; model gd-1 takes no missing cells"):
        client.infer("gd-1", {"x": masked[None], "y": Y[None], "x_query": QUERY[None]})
    with pytest.raises(InvalidArgument, match=r"^x must be numbers; x is of type bool"):
        client.infer("gd-1", {"x": hidden[None]})


def test_a_scale_and_probabilities_may_be_arrays(client: Client) -> None:
    probabilities: Any = np.array([0.1, 0.9])
    context = client.contexts.create("nonlinear", scale=(np.zeros(D, np.float32), pd.Series([Decimal(1)] * D)))
    context.observe(X, Y[:, 0])
    assert len(context.predict(QUERY, quantiles=probabilities).quantiles) == 2


@pytest.mark.slow
def test_both_clients_give_the_same_results(server: Server) -> None:
    async def talk(url: str | None) -> tuple[list[float], int, EvaluationView, str]:
        async with AsyncClient(url) as client:
            context = await client.contexts.create()
            await context.observe(X, Y[:, 0])
            answer = await context.predict(QUERY.tolist())
            other = await client.contexts.load(await context.export())
            merged = await context.merge(other.id)
            evaluation = await client.evaluations.submit(["linear"], **SMALL)
            with pytest.raises(NotFound):
                await client.model("cubic")
            return answer.prediction, merged.n_observations, await evaluation.wait(), repr(context)

    with Client() as client:
        expected = client.predict(X, Y[:, 0], QUERY).prediction
    for url in (None, server.url):
        prediction, count, evaluation, text = anyio.run(talk, url)
        np.testing.assert_allclose(prediction, expected, rtol=1e-9)
        assert (count, evaluation.status, evaluation.done) == (2 * N, "done", evaluation.total)
        assert f"{2 * N} observations" in text


@pytest.mark.slow
def test_api_key_is_sent(tmp_path: object) -> None:
    database = {"GDSSM_DATABASE_URL": f"sqlite:///{tmp_path}/keys.db"}
    command = [sys.executable, "-m", "service", "keys", "create", "alice"]
    made = subprocess.run(command, env=database, cwd=ROOT, capture_output=True, text=True, check=True)
    with running(GDSSM_AUTH="on", **database) as server:
        with Client(server.url, api_key=made.stdout.strip()) as client:
            assert client.models().default == "nonlinear"
        with Client(server.url) as client, pytest.raises(NotAllowed) as refused:
            client.models()
        assert (refused.value.status, refused.value.error_type) == (401, "unauthenticated")


@pytest.mark.parametrize("user", ["", "me:password@"])
def test_unreachable_error_names_the_address(user: str) -> None:
    url = "http://127.0.0.1:9"
    with Client(f"http://{user}127.0.0.1:9", retries=0) as client, pytest.raises(Unreachable) as error:
        client.models()
    assert str(error.value).startswith(f"There is no answer from {url}: ")


@pytest.mark.slow
def test_garbage_collected_client_stops_its_service() -> None:
    client = Client()
    transport = client._session._http._transport
    assert isinstance(transport, InProcess)
    end = transport._end
    assert end.alive
    del client, transport
    gc.collect()
    assert not end.alive


def test_async_client_in_process_requires_async_with() -> None:
    with pytest.raises(RuntimeError, match="async with AsyncClient"):
        anyio.run(AsyncClient().models)


@pytest.mark.slow
def test_importing_the_client_loads_no_framework_runtime_or_database() -> None:
    code = (
        "import sys, gdssm_client as c; before = set(sys.modules); c.Client('http://127.0.0.1:9').close(); "
        "heavy = {'sklearn', 'pandas', 'polars', 'fastapi', 'onnxruntime', 'sqlalchemy'}; "
        "print(*{n.split('.')[0] for n in sys.modules} & heavy, "
        "*before & {'httpx', 'narwhals', 'numpy'}, dir(c))"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "['AsyncClient', 'Client']\n"


def test_precision_loss_is_refused_unless_allowed(client: Client) -> None:
    context = client.contexts.create("linear")
    context.observe(X, Y)
    mistake = X[:1] * 1e9
    with pytest.raises(InvalidInput, match="allow_precision_loss") as refused:
        context.observe(mistake, Y[:1])
    assert refused.value.error_type == "precision_loss"
    context.refresh()
    assert context.record.digits_left == 15
    context.observe(mistake, Y[:1], allow_precision_loss=True)
    context.refresh()
    assert context.record.digits_left == 0
    other = client.contexts.create("linear")
    other.observe(X, Y)
    with pytest.raises(InvalidInput, match="context: has seen so much larger"):
        other.merge(context.record.id)
    assert other.merge(context.record.id, allow_precision_loss=True).n_observations == 2 * N + 1


@pytest.mark.parametrize("name", ["sensor 7", "a/b", "Größe 🌡️?#", "100%", "state"], ids=ascii)
def test_a_context_is_found_by_its_name(client: Client, name: str) -> None:
    labels = {"site": "berlin", "name": name}
    context = client.contexts.by_name(name, "linear", decay=0.5, labels=labels)
    context.observe([[1.0], [2.0], [3.0]], [2.0, 4.0, 6.0])
    again = client.contexts.by_name(name)
    assert (again.id, again.record.version, again.record.labels) == (context.id, 2, labels)
    assert client.contexts.find(name).record.name == name
    assert [found.id for found in client.contexts.list(labels=labels)] == [context.id]
    with pytest.raises(Conflict, match=r"decay 0\.5, not 0\.9"):
        client.contexts.by_name(name, decay=0.9)
    with pytest.raises(Conflict, match="named"):
        client.contexts.create("linear", name=name)
    context.amend(name=f"{name} of old", labels={"site": "chur"}, ttl=77)
    assert (context.record.labels, context.record.ttl) == ({"site": "chur"}, 77)
    with pytest.raises(NotFound):
        client.contexts.find(name)
    context.delete()
