"""Many contexts by the client: in order of the rows, errors apart, and retries that count once."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from gdssm_client import Client, batch_body
from gdssm_client.errors import InvalidArgument
from gdssm_client.schemas import FailedItem, ObservedItem

NEW = {"model": "linear"}


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


def test_rows_of_many_names_are_learnt_and_predicted(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_body, "ITEMS_LIMIT", 7)
    generator = np.random.default_rng(0)
    names = [f"device {device}" for device in generator.integers(0, 3, 40)]
    x = generator.normal(size=(40, 2))
    learnt = client.observe_many(x, x.sum(1), names=names, create=NEW)
    assert learnt.failed == 0
    assert sorted(row for result in learnt.results for row in result.rows or ()) == list(range(40))
    predicted = client.predict_many(x, names=names)
    assert predicted.prediction == pytest.approx(x.sum(1), abs=0.2)
    assert predicted.lower is None
    context = client.contexts.get(next(r.context for r in learnt.results if isinstance(r, ObservedItem)))
    assert context.record.n_observations == names.count(str(context.record.name))


def test_failed_rows_are_nan_and_named(client: Client) -> None:
    context = client.contexts.create("linear")
    context.observe([[1.0], [2.0], [3.0]], [1.0, 2.0, 3.0])
    predicted = client.predict_many([[1.0], [2.0]], contexts=[context.id, "none"], interval=0.9)
    assert isinstance(predicted.prediction, list)
    assert np.isnan(predicted.prediction).tolist() == [False, True]
    assert predicted.lower[0] < predicted.prediction[0] < predicted.upper[0]
    assert [failed.rows for failed in predicted.failed] == [[1]]
    learnt = client.observe_many([[1.0], [2.0]], [1.0, 2.0], contexts=["none", context.id])
    assert [type(result) for result in learnt.results] == [FailedItem, ObservedItem]


def test_columns_of_a_frame_are_found_by_their_names(client: Client) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, 5.0], "b": [3.0, 1.0, 2.0]})
    client.observe_many(frame, frame["a"] + 2 * frame["b"], names=["x"] * 3, create=NEW)
    one, other = (client.predict_many(found, names=["x"] * 3).prediction for found in (frame, frame[["b", "a"]]))
    assert list(one) == pytest.approx(list(other))


def test_contexts_are_named_once(client: Client) -> None:
    with pytest.raises(InvalidArgument, match="one of contexts and names"):
        client.observe_many([[1.0]], [1.0])
    with pytest.raises(InvalidArgument, match="one of contexts and names"):
        client.predict_many([[1.0]], contexts=["a"], names=["b"])
