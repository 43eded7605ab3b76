"""Clients of every kind at once: each sends a change until it is acknowledged, under one idempotency key."""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count, islice
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from gdssm_client import Client
from gdssm_client.contexts import Context
from gdssm_client.errors import NotFound
from gdssm_client.schemas import ObservedItem
from tests.service.contexts.acknowledged import Acknowledged, Block, Part

SEED = "mixed load"
TIMEOUT = 30.0
"""Seconds that a client waits for an answer."""
PAUSE, LONGEST_PAUSE = 0.02, 0.25
"""Seconds before a client tries again."""
RETRIES = 200
"""Which take about TIMEOUT in a break."""
MESSAGES = 30
WINDOW = 8
"""Messages of a stream that are sent before the first is answered."""
NOT_NOW = {"database_unavailable", "overloaded", "not_ready"}
"""Errors of a message that is to be sent again."""
SCALE = ([3.0] * 2, [1.0] * 2)
QUERY = [[2.0, 3.0], [4.0, 1.0], [3.5, 3.5]]


class MixedLoad:
    """Clients that observe, take out, stream, merge, export, import, make and delete until they are stopped.

    Args:
        urls: Of two services on one database; each client of Python has one of them, and a stream that breaks off goes
            on at the other.
    """

    def __init__(self, urls: list[str]) -> None:
        self.acknowledged = Acknowledged()
        self._urls = urls
        self._ending = threading.Event()
        with Client(urls[0]) as client:
            linear = [self._make(client, "linear") for _ in range(3)]
            nonlinear = [self._make(client, "nonlinear") for _ in range(2)]
        self._families = [linear, nonlinear]
        self._shared = [*linear, *nonlinear]
        kinds = [
            self._observe,
            self._batch,
            self._batch,
            self._observe,
            self._stream,
            self._stream,
            self._merge,
            self._import,
            self._create,
        ]
        self._threads = [threading.Thread(target=self._work, args=item) for item in enumerate(kinds)]

    def start(self) -> None:
        """Let all clients begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let all clients finish what they have begun."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _work(self, number: int, kind: Callable[[Client, random.Random], None]) -> None:
        generator = random.Random(f"{SEED} {number}")  # noqa: S311  (what to send)
        url = self._urls[number % len(self._urls)]
        try:
            with Client(url, timeout=TIMEOUT, retries=RETRIES) as client:
                while not self._ending.is_set():
                    kind(client, generator)
        except BaseException as error:
            self.acknowledged.fail(error)
            raise

    def _observe(self, client: Client, generator: random.Random) -> None:
        """Observe some blocks in shared contexts, and take about half of them out again."""
        contexts = [client.contexts.get(generator.choice(self._shared)) for _ in range(4)]
        blocks = [self._learn(context, self._block(generator.randint(1, 5))) for context in contexts]
        contexts[0].predict(QUERY, interval=0.9)
        for context, block in generator.sample(list(zip(contexts, blocks, strict=True)), 2):
            self._learn(context, block.taken_out())

    def _batch(self, client: Client, generator: random.Random) -> None:
        """Observe and take out blocks of several shared contexts in one request, their rows mixed."""
        chosen = {name: self._block(generator.randint(1, 4)) for name in generator.sample(self._shared, 4)}
        for blocks in (chosen, {name: chosen[name].taken_out() for name in sorted(chosen)[:2]}):
            names = [name for name, block in blocks.items() for _ in range(block.size)]
            generator.shuffle(names)
            rows = {name: zip(*block.rows, strict=True) for name, block in blocks.items()}
            x, y = zip(*[next(rows[name]) for name in names], strict=True)
            weight = [float(blocks[name].weight) for name in names]
            for result in client.observe_many(np.array(x), np.array(y), contexts=names, weight=weight).results:
                assert isinstance(result, ObservedItem), result
                self.acknowledged.add(result.context, result.version, result.n_observations, blocks[result.context])

    def _merge(self, client: Client, generator: random.Random) -> None:
        """Merge one shared context into a later one of its family: the order bounds how fast they grow."""
        family = generator.choice(self._families)
        source, target = sorted(generator.sample(range(len(family)), 2))
        self._take_in(client.contexts.get(family[target]), family[source])
        time.sleep(generator.uniform(0, 0.1))

    def _import(self, client: Client, generator: random.Random) -> None:
        """Import what a shared context exports, go on with it, and merge it into a later one of its family."""
        family = generator.choice(self._families)
        number = generator.randrange(len(family))
        copy = client.contexts.load(client.contexts.get(family[number]).export())
        self._note(copy, Part(family[number]))
        self._learn(copy, self._block(2))
        for later in family[number + 1 :]:
            self._take_in(client.contexts.get(later), copy.id)
        self._delete_sometimes(copy, generator)

    def _create(self, client: Client, generator: random.Random) -> None:
        """Make a separate context, observe, take out, and leave it or delete it."""
        context = client.contexts.get(self._make(client, generator.choice(["linear", "nonlinear"])))
        self._learn(context, self._learn(context, self._block(3)).taken_out())
        self._delete_sometimes(context, generator)

    def _stream(self, _: Client, generator: random.Random) -> None:
        """Stream single rows into a shared context, a third of which take the row before out again."""
        context = generator.choice(self._shared)
        blocks: list[Block] = []
        for _number in range(MESSAGES):
            undo = bool(blocks) and blocks[-1].weight > 0 and generator.random() < 0.5
            blocks.append(blocks[-1].taken_out() if undo else self._block(1))
        answers: list[dict[str, Any]] = []
        deadline = time.monotonic() + 2 * TIMEOUT
        for attempt in count(generator.randrange(2)):
            assert time.monotonic() < deadline, "never acknowledged"
            url = self._urls[attempt % len(self._urls)]
            with suppress_break(), connect(f"{url.replace('http', 'ws')}/v1/contexts/{context}/stream") as stream:
                self._send(stream, context, blocks, answers)
                return
            time.sleep(PAUSE)

    def _send(self, stream: ClientConnection, context: str, blocks: list[Block], answers: list[dict[str, Any]]) -> None:
        """Send the messages that were not answered, and the last two that were: those are answered as before."""
        start = max(len(answers) - 2, 0)
        waiting = iter(blocks[start:])
        for block in islice(waiting, WINDOW):
            stream.send(message(block))
        for number, block in enumerate(blocks[start:], start):
            answer = json.loads(stream.recv(timeout=TIMEOUT))
            if answer.get("error_type") in NOT_NOW:
                raise ConnectionError(answer)
            if number < len(answers):
                assert answer == answers[number], (answer, answers[number])
            else:
                assert "error_type" not in answer, answer
                self.acknowledged.add(context, answer["version"], answer["n_observations"], block)
                answers.append(answer)
            for following in islice(waiting, 1):
                stream.send(message(following))

    def _make(self, client: Client, model: str) -> str:
        context = client.contexts.create(model, scale=SCALE if model == "nonlinear" else None)
        self._note(context, None)
        self._learn(context, self._block(5))
        return context.id

    def _learn(self, context: Context, block: Block) -> Block:
        context.observe(*block.rows, weight=np.full(block.size, float(block.weight)))
        self._note(context, block)
        return block

    def _take_in(self, context: Context, source: str) -> None:
        context.merge(source)
        self._note(context, Part(source))

    def _delete_sometimes(self, context: Context, generator: random.Random) -> None:
        if generator.random() < 0.7:
            context.delete()
            self.acknowledged.deleted.add(context.id)
            with pytest.raises(NotFound):
                context.refresh()

    def _note(self, context: Context, effect: Block | Part | None) -> None:
        """Note what the context was last answered to be."""
        self.acknowledged.add(context.id, context.record.version, context.record.n_observations, effect)

    def _block(self, size: int) -> Block:
        return Block(next(self.acknowledged.numbers), size)


def message(block: Block) -> str:
    """One row as a message of a stream."""
    x, y = block.rows
    observation = {"x": x[0].tolist(), "y": y[0], "weight": block.weight}
    return json.dumps({"idempotency_key": f"stream {block.number} {block.weight}", "observation": observation})


@contextmanager
def suppress_break() -> Iterator[None]:
    """Pass over whatever a client of a stream sees of a service, or its database, that was killed."""
    try:
        yield
    except InvalidStatus as refused:
        if refused.response.status_code != 503:
            raise
    except (WebSocketException, OSError, EOFError):
        return
