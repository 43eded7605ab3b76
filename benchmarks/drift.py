"""Streams whose relation changes: decay auto compared with fixed factors and with river's adaptive linear models.

Own streams are linear relations that walk or jump; others are Friedman's function as river lets it drift, and polls.
The seeds are not those on which the factors of `gdssm.decay_average` were chosen (1000 to 1007, on linear relations
with noise of 0.1 and 0.5); TrumpApproval was among the tables then. Every observation is predicted before it is learnt;
river's models run behind its scalers of x and of y: one of them has no intercept.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import httpx
import numpy as np
from river import datasets, linear_model, optim
from river.preprocessing import StandardScaler, TargetStandardScaler
from websockets.sync.client import ClientConnection, connect

from benchmarks.models import runtime_of
from benchmarks.results import Goal, Result, Table, short
from benchmarks.serving.servers import started
from benchmarks.serving.specs import OURS
from benchmarks.timing import in_turn
from service.inference.checks import UNLIMITED
from service.inference.distribution import Wanted
from service.inference.predictor import Observations
from service.inference.predictor import run as run_model
from service.inference.runtime import Runtime
from service.inference.sizes import Array
from service.states.context_state import answer, new_state
from service.states.drift import BLOCK
from service.states.forgetting import fade, faded_squares
from service.states.learning import learn
from service.states.tensors import SQUARES, State

D, ROWS, RUNS = 5, 800, 8
NOISE = 0.5
"""Standard deviation; a relation has coefficients of variance one, and columns too."""
WALKS = {"still": 0.0, "slow walk": 0.01, "fast walk": 0.1}
"""Standard deviation of the step of each coefficient from row to row."""
JUMPS = {"one jump": ROWS // 2, "a jump every 200": 200}
"""Rows between two relations that have nothing in common."""
FRIEDMAN = {"lea": (500, 1000, 1500), "gra": (700, 1400), "gsg": (700, 1400)}
"""river's kinds of drift (local, global recurring, global and slow), and the rows at which they are."""
FRIEDMAN_ROWS, FRIEDMAN_RUNS, TRANSITION = 2000, 2, 200


class Stream(NamedTuple):
    """S runs of one kind of drift."""

    name: str
    x: Array
    """(S, N, D)."""
    y: Array
    """(S, N)."""


def streams(runs: int = RUNS, rows: int = ROWS) -> Iterator[Stream]:
    """Draw them all."""
    for name, step in WALKS.items():
        yield _stacked(name, [linear(seed, rows, step) for seed in range(runs)])
    for name, every in JUMPS.items():
        yield _stacked(name, [linear(seed, rows, every=every) for seed in range(runs)])
    for kind in FRIEDMAN:
        yield _stacked(f"river FriedmanDrift {kind}", [friedman(kind, seed) for seed in range(FRIEDMAN_RUNS)])
    polls = datasets.TrumpApproval()  # type: ignore[no-untyped-call]
    yield _stacked("river TrumpApproval", [_of(polls.take)])


def linear(seed: int, rows: int, step: float = 0.0, every: int | None = None) -> tuple[Array, Array]:
    """Draw a linear relation whose coefficients walk by `step` a row, or are drawn again `every` so many rows."""
    generator = np.random.default_rng(seed)
    x, steps = generator.normal(size=(rows, D)), step * generator.normal(size=(rows, D))
    relation = generator.normal(size=D) + steps.cumsum(0)
    for start in range(every or rows, rows, every or rows):
        relation[start:] = generator.normal(size=D)
    return x, (x * relation).sum(1) + NOISE * generator.normal(size=rows)


def friedman(kind: str, seed: int) -> tuple[Array, Array]:
    """Draw river's drifting Friedman function of ten columns."""
    window = TRANSITION if kind == "gsg" else 0
    drifting = datasets.synth.FriedmanDrift(kind, FRIEDMAN[kind], transition_window=window, seed=seed)
    return _of(lambda _: drifting.take(FRIEDMAN_ROWS))


def _of(take: Callable[[int], Iterator[tuple[dict[object, float], float]]]) -> tuple[Array, Array]:
    rows = list(take(FRIEDMAN_ROWS))
    return np.array([list(x.values()) for x, _ in rows], float), np.array([y for _, y in rows], float)


def _stacked(name: str, runs: list[tuple[Array, Array]]) -> Stream:
    x, y = (np.stack(part) for part in zip(*runs, strict=True))
    return Stream(name, x, y)


FIXED = np.array([1.0, 0.999, 0.998, 0.995, 0.99, 0.98, 0.97, 0.95, 0.93, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5])
"""Finer than the factors of decay auto, so that their best is a demanding comparison."""
LEVEL = 0.9
PEERS: dict[str, Callable[[], Any]] = {
    "LinearRegression, SGD 0.01": linear_model.LinearRegression,
    "LinearRegression, Adam 0.1": lambda: linear_model.LinearRegression(optimizer=optim.Adam(0.1)),
    "PARegressor": lambda: linear_model.PARegressor(C=0.1, eps=0.0),  # type: ignore[no-untyped-call]
    "BayesianLinearRegression, 0.98": lambda: linear_model.BayesianLinearRegression(smoothing=0.98),
    "BayesianLinearRegression, 0.9": lambda: linear_model.BayesianLinearRegression(smoothing=0.9),
}
"""The number of the last two is the share of its estimates that remains after one more observation."""


class Auto(NamedTuple):
    """Predictions with decay auto; none at the first row."""

    error: Array
    """(S, N)."""
    inside: Array
    """(S, N): whether the interval of LEVEL covers y."""


def fixed(runtime: Runtime, stream: Stream) -> Array:
    """Predict with every fixed factor: errors (F, S, N), as one batch of contexts."""
    factors, (runs, rows) = len(FIXED), stream.y.shape
    x, y = (np.tile(part, (factors, *[1] * (part.ndim - 1))) for part in (stream.x, stream.y))
    decay, error = np.repeat(FIXED, runs), np.full(y.shape, np.nan)
    state: State = {}
    go, ones = partial(run_model, runtime, parameters={}), np.ones((len(y), 1))
    for row in range(rows):
        new = {"x": x[:, row : row + 1], "y": y[:, row : row + 1, None], "weight": ones}
        if state:
            found = go({**state, "x_query": new["x"], "want_scale": np.zeros(())})
            error[:, row] = y[:, row] - found["prediction"][:, 0, 0]
            state = fade(runtime.manifest, state, decay)
        squares = state.get(SQUARES, 0.0) + faded_squares(None, ones)
        state = runtime.state_after(go({**state, **new})) | {SQUARES: squares}
    return error.reshape(factors, runs, rows)


def auto(runtime: Runtime, stream: Stream) -> Auto:
    """Predict with decay auto, run by run, as a context of the service does."""
    each = [_one(runtime, x, y) for x, y in zip(stream.x, stream.y, strict=True)]
    return Auto(*map(np.stack, zip(*each, strict=True)))


def _one(runtime: Runtime, x: Array, y: Array) -> Auto:
    memory = new_state(runtime.manifest, "auto")
    error, inside = np.full(len(y), np.nan), np.full(len(y), np.nan)
    for row in range(len(y)):
        if row:
            found = answer(runtime, UNLIMITED, memory, x[row : row + 1], wanted=Wanted(LEVEL))
            error[row] = y[row] - found.prediction[0]
            assert found.lower is not None  # noqa: S101
            assert found.upper is not None  # noqa: S101
            inside[row] = found.lower[0] <= y[row] <= found.upper[0]
        memory = learn(runtime, UNLIMITED, memory, Observations(x[row : row + 1], y[row : row + 1]))
    return Auto(error, inside)


def errors(make: Callable[[], Any], stream: Stream) -> Array:
    """Predict every observation, then learn it: errors (S, N)."""
    error = np.full(stream.y.shape, np.nan)
    for number, (rows, targets) in enumerate(zip(stream.x, stream.y, strict=True)):
        model = StandardScaler() | TargetStandardScaler(regressor=make())
        for row, (values, y) in enumerate(zip(rows.tolist(), targets.tolist(), strict=True)):
            x = dict(enumerate(values))
            error[number, row] = y - model.predict_one(x)
            model.learn_one(x, y)
    return error


COST_INPUTS, COST_ROUNDS = 10, 100
DECAYS = {"fixed": 0.99, "auto": "auto"}
Work = Callable[[], object]


class ObservationCost(NamedTuple):
    """Of one observation: the ratio, and seconds."""

    ratio: float
    fixed: float
    auto: float


def costs(runtime: Runtime, rounds: int = COST_ROUNDS) -> dict[str, ObservationCost]:
    """Time every way to observe."""
    found = {
        "learning, in process": _timed(_in_process(runtime, predicts=False), rounds),
        "predicting, then learning, in process": _timed(_in_process(runtime, predicts=True), rounds),
    }
    with _clients() as clients:
        found |= {name: _timed(work, rounds) for name, work in clients.items()}
    return {name: ObservationCost(auto / fixed, fixed, auto) for name, (fixed, auto) in found.items()}


def _timed(works: dict[str, Work], rounds: int) -> tuple[float, float]:
    """Time them in turn: the least seconds of one observation, fixed and auto."""
    times = in_turn(works, rounds, BLOCK)
    return min(times["fixed"]), min(times["auto"])


def _rows(count: int) -> Observations:
    generator = np.random.default_rng(0)
    return Observations(generator.normal(size=(count, COST_INPUTS)), generator.normal(size=count))


def _in_process(runtime: Runtime, *, predicts: bool) -> dict[str, Work]:
    one = _rows(1)

    def work_of(decay: object) -> Work:
        memory = learn(runtime, UNLIMITED, new_state(runtime.manifest, decay), _rows(104))  # type: ignore[arg-type]

        def work() -> None:
            nonlocal memory
            if predicts:
                answer(runtime, UNLIMITED, memory, one.x)
            memory = learn(runtime, UNLIMITED, memory, one)

        return work

    return {name: work_of(decay) for name, decay in DECAYS.items()}


def _ask(stream: ClientConnection, message: str) -> object:
    stream.send(message)
    return stream.recv()


@contextmanager
def _clients() -> Iterator[dict[str, dict[str, Work]]]:
    """Start a service, and create a context with each decay for each protocol."""
    one, first = _rows(1), _rows(104)
    row, observations = {"x": one.x.tolist(), "y": one.y.tolist()}, {"x": first.x.tolist(), "y": first.y.tolist()}
    message = json.dumps({"observation": {"x": row["x"][0], "y": row["y"][0]}})
    with started(OURS, "linear") as server:
        address, headers = f"127.0.0.1:{server.port}/v1/contexts", dict(server.spec.forms["json"].headers)
        with httpx.Client(headers=headers) as client:
            clients: dict[str, dict[str, Work]] = {"POST observations": {}, "WebSocket (predicts, then learns)": {}}
            streams = []
            for name, decay in DECAYS.items():
                body = {"model": "linear", "decay": decay, "observations": observations}
                posted, streamed = (client.post(f"http://{address}", json=body).json()["id"] for _ in range(2))
                stream = connect(f"ws://{address}/{streamed}/stream", additional_headers=headers)
                streams.append(stream)
                post = partial(client.post, f"http://{address}/{posted}/observations", json=row)
                clients["POST observations"][name] = post
                clients["WebSocket (predicts, then learns)"][name] = partial(_ask, stream, message)
            yield clients
            for stream in streams:
                stream.close()


WARM_UP = 10
"""Rows at the start of a stream that are not counted."""
TARGET_ERROR, TARGET_COST = 1.03, 2.0
COST_GOALS = ("learning, in process", "POST observations")
SELECTED = (1.0, 0.99, 0.97, 0.9)
"""Fixed factors with a column."""
POLLS = "Readouts are computed at every fourth observation; on polls that move daily that costs 12 % (gdssm/README.md)."
METHOD = f"""Every observation is predicted by `linear` before it is learnt. Squared errors are relative to those of the
fixed factor that is best for the stream in hindsight, of {", ".join(f"{decay:g}" for decay in FIXED)}.
The first {WARM_UP} rows are not counted. Own streams: {D} columns, {ROWS} rows, {RUNS} runs (seeds from
0), coefficients and columns of variance one, noise {NOISE:g}. Friedman's function: 10 columns, {FRIEDMAN_ROWS} rows,
{FRIEDMAN_RUNS} runs (seeds from 0)."""
COST = """Cost: a block of observations with a fixed decay and one with auto, in turn; the shortest times of all rounds,
and their ratio. A prediction after a change computes eight readouts instead of one, which learning alone does
not need."""


class StreamErrors(NamedTuple):
    """Mean squared errors of one kind of drift, and the share of intervals that cover y."""

    fixed: Array
    """(F,)."""
    auto: float
    coverage: float
    peers: Mapping[str, float]

    @property
    def best(self) -> float:
        """Of the fixed factors, in hindsight."""
        return float(self.fixed.min())

    @property
    def ratio(self) -> float:
        """Decay auto's error ÷ the best fixed factor's."""
        return self.auto / self.best


def mean_square(error: Array) -> Array:
    """Average over rows after the warm-up, and over runs; (…, S, N) to (…)."""
    return np.asarray(np.square(error[..., WARM_UP:]).mean((-2, -1)))


def compare(runtime: Runtime, stream: Stream) -> StreamErrors:
    """Predict one kind of drift with all methods."""
    ours = auto(runtime, stream)
    return StreamErrors(
        fixed=mean_square(fixed(runtime, stream)),
        auto=float(mean_square(ours.error)),
        coverage=float(np.nanmean(ours.inside[:, WARM_UP:])),
        peers={name: float(mean_square(errors(make, stream))) for name, make in PEERS.items()},
    )


def run(*, quick: bool) -> Result:
    """Measure and report; a quick run has three short streams."""
    runtime = runtime_of("linear")
    if quick:
        drawn = islice(streams(2, 60), 3)
        return report({stream.name: compare(runtime, stream) for stream in drawn}, costs(runtime, 2))
    return report({stream.name: compare(runtime, stream) for stream in streams()}, costs(runtime, COST_ROUNDS))


def report(found: Mapping[str, StreamErrors], cost: Mapping[str, ObservationCost]) -> Result:
    """Lay out the errors by stream, and the costs by way to observe."""
    rows = [
        [name, short(one.best), f"{FIXED[one.fixed.argmin()]:g}", f"{one.ratio:.3f}"]
        + [f"{one.fixed[FIXED.tolist().index(decay)] / one.best:.2f}" for decay in SELECTED]
        + [f"{one.coverage:.3f}"]
        for name, one in found.items()
    ]
    header = ["stream", "squared error of the best", "best factor", "auto", *map(str, SELECTED)]
    peers = [[name, *(f"{error / one.best:.2f}" for error in one.peers.values())] for name, one in found.items()]
    times = [
        [name, f"{one.ratio:.2f}", f"{1e3 * one.fixed:.2f} ms", f"{1e3 * one.auto:.2f} ms"]
        for name, one in cost.items()
    ]
    return Result(
        title="Drift without tuning",
        method=METHOD,
        tables=[
            Table("", [*header, f"coverage of {LEVEL:.0%} intervals"], rows),
            Table(
                "river's adaptive linear models behind its scalers of x and of y, in the same units:",
                ["stream", *next(iter(found.values())).peers],
                peers,
            ),
            Table(COST, ["one observation, D = 10", "auto ÷ fixed", "fixed", "auto"], times),
        ],
        goals=list(_goals(found, cost)),
        numbers={
            "factors": FIXED.tolist(),
            "squared_errors": {name: {**one._asdict(), "fixed": one.fixed.tolist()} for name, one in found.items()},
            "cost": {name: one._asdict() for name, one in cost.items()},
        },
    )


def _goals(found: Mapping[str, StreamErrors], cost: Mapping[str, ObservationCost]) -> Iterator[Goal]:
    for name, one in found.items():
        measure = f"{name}: squared error ÷ best fixed factor's"
        reason = POLLS if one.fixed.argmin() == len(FIXED) - 1 else ""
        yield Goal(measure, f"≤ {TARGET_ERROR}", f"{one.ratio:.3f}", one.ratio <= TARGET_ERROR, reason)
    for name in COST_GOALS:
        if name in cost:
            ratio = cost[name].ratio
            yield Goal(f"{name}: auto ÷ fixed", f"≤ {TARGET_COST:g}", f"{ratio:.2f}", ratio <= TARGET_COST)
