"""ContextArchive bytes: out and in again it is the same context, and nothing else gets in."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load as tensors_of
from safetensors.numpy import save
from sqlalchemy import select, update

from service.contexts import serialization
from service.contexts.requests import ANY_CONTEXT, ContextSpec
from service.contexts.service import ContextService
from service.errors import CallerError, Conflict, InvalidInput
from service.inference.artifact import UNHASHED, content_hash
from service.states.context_state import ContextState, answer
from service.store.tables import CONTEXTS
from tests.closeness import assert_close
from tests.service.kept import OTHER_OWNER, OWNER, both, draw, part, weighed
from tests.service.states.test_context_state import LIMITS, STREAMING, manifest, observations, remember, runtime_of

Tensors = dict[str, np.ndarray]
Header = dict[str, object]


def forge(memory: ContextState, change: Callable[[Tensors, Header], object], model: str = "linear") -> bytes:
    """Bytes with something changed, and a hash that says that nothing was."""
    file = serialization.export(manifest(model), memory)
    tensors = tensors_of(file)
    label = json.loads(serialization._metadata(file)[serialization.METADATA_KEY]) | {"sha256": UNHASHED}
    change(tensors, label)
    file = save(tensors, {serialization.METADATA_KEY: json.dumps(label)})
    return file.replace(UNHASHED.encode(), content_hash(file, UNHASHED).encode(), 1)


@pytest.mark.parametrize("decay", [None, 0.9])
@pytest.mark.parametrize("length", [0, 7])
def test_out_and_in_again_it_is_the_same(contexts: ContextService, decay: float | None, length: int) -> None:
    record = contexts.create(OWNER, ContextSpec("gd-1", decay=decay), draw(1, length) if length else None)
    loaded = contexts.load(OTHER_OWNER, contexts.export(OWNER, record.id)[0], ttl=9)
    assert loaded.id != record.id
    assert (loaded.version, loaded.ttl) == (1, 9)
    for name in ("model", "model_version", "decay", "n_observations", "inputs", "outputs"):
        assert getattr(loaded, name) == getattr(record, name)
    for owner, name in ((OWNER, record.id), (OTHER_OWNER, loaded.id)):
        contexts.observe(owner, name, draw(2))
    here, there = (contexts.predict(*where, draw(3).x)[0] for where in ((OWNER, record.id), (OTHER_OWNER, loaded.id)))
    assert (here.prediction == there.prediction).all()


CELLS = ["comoment.upper", "count", "count_of_squares", "mean", "peak", "present"]


@pytest.mark.slow
@pytest.mark.parametrize("name", STREAMING)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_model_of_the_zoo_is_portable_to_the_bit(name: str, seed: int) -> None:
    memory = serialization.canonical_state(remember(name, observations(name, seed)[0]))
    read = serialization.state_of_archive(
        serialization.read(serialization.export(manifest(name), memory)), manifest(name)
    )
    assert memory.tensors is not None
    assert read.tensors is not None
    assert all((read.tensors[tensor] == value).all() for tensor, value in memory.tensors.items())
    assert serialization.export(manifest(name), read) == serialization.export(manifest(name), memory)


@pytest.mark.parametrize(
    ("model", "version", "tensors"),
    [("linear", "2.0.0", CELLS), ("linear-1.0.0", "1.0.0", ["comoment.upper", "count", "mean", "peak"])],
)
def test_it_says_what_it_is_to_any_reader_of_safetensors(model: str, version: str, tensors: list[str]) -> None:
    memory = remember(model, draw(1))
    file = serialization.export(manifest(model), memory)
    assert sorted(tensors_of(file)) == [f"state.{name}" for name in tensors]
    label = json.loads(serialization._metadata(file)[serialization.METADATA_KEY])
    assert {"format": "gdssm-context/2", "model": "linear", "model_version": version}.items() <= label.items()
    assert label["model_sha256"] == manifest(model).sha256
    assert (label["n_observations"], label["decay"], label["flat_y"]) == (7, None, False)


def written_before(memory: ContextState, model: str) -> bytes:
    """Bytes as version 1 of the format has them."""

    def change(tensors: Tensors, label: Header) -> None:
        tensors.clear()
        tensors.update(memory.tensors or {})
        label.update(format=serialization.FIRST_FORMAT)

    return forge(memory, change, model)


@pytest.mark.parametrize("length", [7, 40])
@pytest.mark.parametrize("model", ["linear", "linear-1.0.0", "nonlinear", "gd-1"])
def test_what_was_written_before_is_read(contexts: ContextService, model: str, length: int) -> None:
    memory = remember(model, draw(1, length))
    loaded = contexts.load(OWNER, written_before(memory, model))
    assert contexts.export(OWNER, loaded.id)[0] == serialization.export(
        manifest(model), serialization.canonical_state(memory)
    )
    expected = answer(runtime_of(model), LIMITS, memory, draw(3).x).prediction
    assert_close(contexts.predict(OWNER, loaded.id, draw(3).x)[0].prediction, expected, "prediction", rtol=1e-9)
    assert contexts.observe(OWNER, loaded.id, draw(2)).n_observations == length + 7


def test_a_row_that_was_stored_before_goes_on(contexts: ContextService) -> None:
    record, memory = contexts.create(OWNER, ContextSpec("nonlinear")), remember("nonlinear", draw(1, 40))
    with contexts._database.transaction() as connection:
        columns = {"n_observations": 40, "inputs": 5, "outputs": 3}
        stored = written_before(memory, "nonlinear")
        connection.execute(
            update(CONTEXTS).values(state=stored, version=2, **columns).where(CONTEXTS.c.id == record.id)
        )
    expected = answer(runtime_of("nonlinear"), LIMITS, memory, draw(3).x).prediction
    assert_close(contexts.predict(OWNER, record.id, draw(3).x)[0].prediction, expected, "prediction", rtol=1e-9)
    assert contexts.observe(OWNER, record.id, draw(2)).version == 3


@pytest.mark.parametrize("model", ["linear", "nonlinear", "gd-1"])
@pytest.mark.parametrize("decay", [None, 0.9])
def test_a_row_stores_each_field_once_and_no_hash(contexts: ContextService, model: str, decay: float | None) -> None:
    record = contexts.create(OWNER, ContextSpec(model, decay=decay), draw(1))
    with contexts._database.reading() as connection:
        stored: bytes = connection.execute(select(CONTEXTS.c.state).where(CONTEXTS.c.id == record.id)).scalar_one()
    header = json.loads(serialization._metadata(stored)[serialization.METADATA_KEY])
    assert header.keys() == {"n_counted", "turnover", "flat_y", "scale", "history"}
    state = contexts.repository.load(OWNER, record.id).state
    fields = {name: getattr(record, name) for name in serialization.ROW_FIELDS}
    restored = serialization.restore(stored, manifest(model), fields)
    assert serialization.export(manifest(model), restored) == serialization.export(manifest(model), state)


def test_half_of_the_numbers_are_written() -> None:
    memory = remember("nonlinear", draw(1, 40, inputs=10, outputs=1))
    assert len(serialization.export(manifest("nonlinear"), memory)) < 48_000
    assert len(written_before(memory, "nonlinear")) > 90_000


def test_two_that_were_taken_apart_are_put_together_again(contexts: ContextService) -> None:
    parts = [contexts.create(OWNER, ANY_CONTEXT, draw(seed)) for seed in (1, 2)]
    files = [contexts.export(OWNER, record.id)[0] for record in parts]
    a, b = (contexts.load(OTHER_OWNER, file) for file in files)
    contexts.merge(OTHER_OWNER, a.id, b.id)
    expected = contexts._predictor.predict(None, both(draw(1), draw(2)), draw(3).x).prediction
    assert_close(contexts.predict(OTHER_OWNER, a.id, draw(3).x)[0].prediction, expected, "prediction", rtol=1e-8)


CHANGED = r"The bytes .*\. (Export the context again|Send what the export gave, unchanged)\.$"


def test_wherever_a_byte_is_changed_or_the_end_cut_off_it_is_refused() -> None:
    file = serialization.export(manifest("linear"), remember("linear", draw(1, inputs=2, outputs=1)))
    for at in range(len(file)):
        changed = bytearray(file)
        changed[at] ^= 1
        for broken in (bytes(changed), file[:at]):
            with pytest.raises(InvalidInput, match=CHANGED):
                serialization.read(broken)
    with pytest.raises(InvalidInput, match="The bytes"):
        serialization.read(file + b"\0")


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"{}",
        b"PK\3\4" * 9,
        b"\xff" * 99,
        save({}),
        save({}, {"gdssm.context": "[" * 9999}),
        save({}, {"gdssm.context": "{}"}),
    ],
)
def test_anything_else_is_refused(file: bytes) -> None:
    with pytest.raises(
        InvalidInput, match=r"no exported context, .*\. Send what the export gave, unchanged\.$"
    ) as refused:
        serialization.read(file)
    assert len(str(refused.value)) < 400


def replaced(name: str, value: object) -> Callable[[Tensors, Header], object]:
    return lambda tensors, _: tensors.update({name: np.asarray(value)})


def labelled(**values: object) -> Callable[[Tensors, Header], object]:
    return lambda _, label: label.update(values)


FORGED: list[tuple[Callable[[Tensors, Header], object], type[CallerError], str]] = [
    (labelled(model="gd-9"), Conflict, "gd-9.*not served here"),
    (labelled(model_version="1.0.1"), Conflict, "1.0.1.*not served here"),
    (labelled(model_sha256="0" * 63 + "1"), Conflict, "another file of model linear"),
    (
        labelled(model="gd-1", model_version="1.0.0", model_sha256=manifest("gd-1").sha256),
        InvalidInput,
        r"other tensors than model gd-1 has: .*\. Send its own\.$",
    ),
    (
        labelled(model_version="1.0.0", model_sha256=manifest("linear-1.0.0").sha256),
        InvalidInput,
        "other tensors than model linear has: state.count_of_squares, state.present",
    ),
    (labelled(format="gdssm-context/3"), InvalidInput, "no exported context"),
    (
        replaced("state.comoment.upper", np.ones((1, 35))),
        InvalidInput,
        r"35 numbers are half of no symmetric matrix\. Send what the export gave, unchanged\.$",
    ),
    (replaced("state.comoment.upper", np.ones((1, 45))), InvalidInput, "other tensors .* has: state.comoment"),
    (replaced("state.comoment.upper", np.ones((2, 36))), InvalidInput, "other tensors .* has: state.comoment"),
    (replaced("state.comoment.upper", np.ones((1, 1, 36))), InvalidInput, "other tensors .* has: state.comoment"),
    (replaced("state.comoment.upper", np.array(1.0)), InvalidInput, "other tensors .* has: state.comoment"),
    (replaced("state.comoment", np.ones((1, 8, 8))), InvalidInput, "other tensors .* has: state.comoment in full"),
    (labelled(note="hello"), InvalidInput, "no exported context"),
    (labelled(decay=1.5), InvalidInput, "no exported context"),
    (labelled(decay="0.5"), InvalidInput, "no exported context"),
    (labelled(n_observations=-1), InvalidInput, "no exported context"),
    (labelled(n_observations=10**30), InvalidInput, "no exported context"),
    (labelled(turnover=float("nan")), InvalidInput, "no exported context"),
    (labelled(inputs=10**9), InvalidInput, "other tensors|columns"),
    (labelled(inputs=None), InvalidInput, r"and not the numbers of columns of x and y\. Export the context again\.$"),
    (labelled(flat_y=True), InvalidInput, r"speak of y as numbers, of 3 columns\. Export the context again\.$"),
    (
        replaced("state.mean", np.full((1, 8), np.nan)),
        InvalidInput,
        r"not a finite number, in state\.mean\. Export the context again\.$",
    ),
    (
        replaced("state.comoment.upper", np.full((1, 36), np.inf)),
        InvalidInput,
        "not a finite number, in state.comoment",
    ),
    (replaced("state.count", np.array([-1.0])), InvalidInput, "a negative number, in state.count"),
    (replaced("state.mean", np.ones((1, 7))), InvalidInput, "other tensors than model linear has: state.mean"),
    (replaced("state.mean", np.ones((2, 8))), InvalidInput, "other tensors"),
    (replaced("state.mean", np.ones((1, 8), np.float32)), InvalidInput, "other tensors"),
    (replaced("state.more", np.ones(1)), InvalidInput, "other tensors than model linear has: state.more"),
    (lambda tensors, _: tensors.pop("state.peak"), InvalidInput, "other tensors than model linear has: state.peak"),
    (lambda tensors, _: tensors.clear(), InvalidInput, "hold no state"),
]


@pytest.mark.parametrize(("change", "kind", "message"), FORGED)
def test_what_is_foreign_is_refused_though_its_hash_is_right(
    contexts: ContextService, change: Callable[[Tensors, Header], object], kind: type[CallerError], message: str
) -> None:
    with pytest.raises(kind, match=message) as refused:
        contexts.load(OWNER, forge(remember("linear", draw(1)), change))
    assert len(str(refused.value)) < 500
    assert contexts.list(OWNER, 10).contexts == ()


def test_what_is_over_the_limits_is_refused(contexts: ContextService) -> None:
    wide = draw(1, inputs=28, outputs=2)
    assert contexts.load(OWNER, serialization.export(manifest("gd-1"), remember("gd-1", wide))).inputs == 28
    state = {"state.count": np.ones(1), "state.gated_sum": np.ones((1, 33, 33))}
    memory = ContextState(
        tensors=state, n_observations=1, n_counted=1, absolute_weight_sum=1.0, inputs=32, outputs=1, y_is_1d=True
    )
    with pytest.raises(InvalidInput, match="at most 30"):
        contexts.load(OWNER, serialization.export(manifest("gd-1"), memory))


def test_what_was_emptied_is_portable(contexts: ContextService) -> None:
    record = contexts.create(OWNER, ANY_CONTEXT, draw(1))
    contexts.observe(OWNER, record.id, weighed(draw(1), -1))
    loaded = contexts.load(OWNER, contexts.export(OWNER, record.id)[0])
    assert contexts.observe(OWNER, loaded.id, draw(2)).n_observations == 21


def negative_variation(tensors: Tensors, _: Header) -> None:
    tensors["state.comoment.upper"][0, 0] = -1.0


def correlation_beyond_one(tensors: Tensors, _: Header) -> None:
    tensors["state.comoment.upper"][0, 1] = 10.0 * tensors["state.comoment.upper"].max()


def no_squares(tensors: Tensors, _: Header) -> None:
    tensors["state.count_of_squares"][:] = 0.0


@pytest.mark.parametrize("change", [negative_variation, correlation_beyond_one, no_squares])
def test_sums_that_no_observations_lead_to_are_not_imported(
    contexts: ContextService, change: Callable[[Tensors, Header], None]
) -> None:
    with pytest.raises(InvalidInput, match="hold sums that no observations lead to"):
        contexts.load(OWNER, forge(remember("linear", draw(1)), change))


@pytest.mark.parametrize(
    "history",
    [
        {"levels": [[1.0]] * 3},
        {"levels": [[1.0, 2.0, 3.0]] * 8},
        {"sums": [[1.0], [1.0]]},
        {"digits": -1},
        {"rows": -1},
    ],
)
def test_a_history_that_is_none_is_not_imported(contexts: ContextService, history: dict[str, object]) -> None:
    def change(_: Tensors, label: Header) -> None:
        before = label["history"]
        assert isinstance(before, dict)
        label["history"] = before | history

    with pytest.raises(InvalidInput, match="The bytes"):
        contexts.load(OWNER, forge(remember("linear", draw(1)), change))


def test_a_context_without_a_history_goes_on(contexts: ContextService) -> None:
    """As earlier versions have written it: removals are checked by the sums alone."""
    memory = remember("linear", draw(1))
    loaded = contexts.load(OWNER, forge(memory, lambda _, label: label.pop("history")))
    one = part(draw(1), slice(2, 3))
    contexts.observe(OWNER, loaded.id, weighed(one, -1))
    rest = remember("linear", part(draw(1), np.array([0, 1, 3, 4, 5, 6])))
    expected = answer(runtime_of("linear"), LIMITS, rest, draw(3).x).prediction
    assert_close(contexts.predict(OWNER, loaded.id, draw(3).x)[0].prediction, expected, "prediction", rtol=1e-9)
