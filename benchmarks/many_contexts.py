"""The cost of a context among a million, compared with the same among ten.

Databases of 10 and of 10⁶ contexts of one owner (SQLite), and of 10 and of 10⁵ (PostgreSQL), each of `linear` with 10
columns, 50 observations, a name and two labels. All but the first are written in bulk as copies of it. Calls are made
in process, each on a random context, and the two databases take turns, call by call; the figures are medians, and every
change waits for the disk. A page has 10 contexts: the first, one from a random place, and one by two labels, of which
one is on every context and the other on ten. A prediction among few contexts finds the state in the cache, and among
many reads it. Then a fifth of the large SQLite database expires at once and is deleted, while another thread creates
contexts: the longest lock is the longest time from the start of a batch to the end of its commit. Memory is that of the
process (resident), before and after the calls and the deletion.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, func, select, text, update

from benchmarks.databases import BATCH, ONE, OWNER, QUERY, Filled, database, postgres
from benchmarks.models import predictor_of
from benchmarks.processes import kilobytes
from benchmarks.results import Goal, Result, Table, short, short_time
from benchmarks.timing import Times, in_turn
from service.contexts.quota import ContextCount
from service.contexts.requests import ContextSpec
from service.inference.predictor import Predictor
from service.store.database import Database
from service.store.tables import CONTEXTS

FEW, MANY, MANY_ON_POSTGRESQL = 10, 1_000_000, 100_000
PAGE = 10
ROUNDS = 200
EXPIRED_SHARE = 5
"""One of so many contexts expires."""
MODEL = "linear"
TARGET_RATIO, TARGET_LOCK, TARGET_HOT = 2.0, 0.2, 0.9
TARGET_GROWTH = 64
"""MiB."""
HOT = text("SELECT n_tup_hot_upd, n_tup_upd FROM pg_stat_user_tables WHERE relname = 'contexts'")


def filled(url: str, predictor: Predictor, size: int) -> Filled:
    """Make a database of some contexts, each with a name and two labels, one of which ten contexts have."""
    return Filled(url, predictor, MODEL, size, sites=size // PAGE)


def calls_of(own: Filled) -> Mapping[str, Callable[[], object]]:
    """Return the calls that are timed; as many contexts are created as deleted."""
    contexts, made, numbers = own.contexts, list[str](), count(len(own.ids))
    choose = partial(random.choice, own.ids)
    place = partial(random.choice, own.ids[: max(len(own.ids) - PAGE, 1)])
    number = partial(random.randrange, len(own.ids) // PAGE)
    return {
        "create": lambda: made.append(contexts.create(OWNER, own.spec(next(numbers))).id),
        "delete": lambda: contexts.delete(OWNER, made.pop()),
        "observe": lambda: contexts.observe(OWNER, choose(), ONE),
        "predict": lambda: contexts.predict(OWNER, choose(), QUERY),
        "find by name": lambda: contexts.find_named(OWNER, f"context {number()}"),
        "list the first page": lambda: contexts.list(OWNER, PAGE),
        "list a page": lambda: contexts.list(OWNER, PAGE, place()),
        "list by labels": lambda: contexts.list(OWNER, PAGE, labels=[("kind", "sensor"), ("site", str(number()))]),
        "count": lambda: ContextCount(own.database).read(),
    }


def expire(own: Filled, share: int) -> int:
    """Let one of so many contexts expire; returns how many do."""
    ids = own.ids[::share]
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        with own.database.transaction() as connection:
            connection.execute(update(CONTEXTS).where(CONTEXTS.c.id.in_(some)).values(expires=time.time() - 1))
    return len(ids)


def run(*, quick: bool) -> Result:
    """Measure and report."""
    return measure(3, 200, 100) if quick else measure()


def measure(rounds: int = ROUNDS, many: int = MANY, many_on_postgresql: int = MANY_ON_POSTGRESQL) -> Result:
    """Measure some rounds, and databases of so many contexts."""
    predictor = predictor_of(MODEL)
    with TemporaryDirectory() as directory, ExitStack() as stack:
        few, large = (
            stack.enter_context(closing(filled(f"sqlite:///{Path(directory)}/{size}.db", predictor, size)))
            for size in (FEW, many)
        )
        memory = [kilobytes("VmRSS") / 1024]
        times = {f"SQLite, {many:,}": timed(few, large, rounds)}
        memory.append(kilobytes("VmRSS") / 1024)
        deletion = expire_at_once(large)
        memory.append(kilobytes("VmRSS") / 1024)
    hot = None
    with postgres() as server, ExitStack() as stack:
        if server is not None:
            few, large = (
                stack.enter_context(closing(filled(database(server, f"contexts_{size}"), predictor, size)))
                for size in (FEW, many_on_postgresql)
            )
            times[f"PostgreSQL, {many_on_postgresql:,}"] = timed(few, large, rounds)
            hot = hot_share(large.database)
    return report(times, deletion, memory, hot)


def timed(few: Filled, large: Filled, rounds: int) -> dict[str, Times]:
    """Time every call among few and among many contexts, in turn; returns seconds by call, and by `few` and `many`."""
    pairs = {
        (name, call): make for name, own in (("few", few), ("many", large)) for call, make in calls_of(own).items()
    }
    times = in_turn(pairs, rounds)
    return {call: {name: times[name, call] for name in ("few", "many")} for _, call in pairs}


def expire_at_once(own: Filled) -> dict[str, float]:
    """Delete many contexts that have expired, while another thread creates contexts."""
    number, held, waits, done = expire(own, EXPIRED_SHARE), list[float](), list[float](), threading.Event()
    begin = own.database.transaction

    @contextmanager
    def transaction() -> Iterator[Connection]:
        with ExitStack() as stack:
            connection = stack.enter_context(begin())
            start = time.perf_counter()
            yield connection
            stack.close()
            if threading.current_thread() is threading.main_thread():
                held.append(time.perf_counter() - start)

    def create() -> None:
        while not (waits and done.wait(0.01)):
            start = time.perf_counter()
            own.contexts.create("another key", ContextSpec(MODEL))
            waits.append(time.perf_counter() - start)

    own.database.transaction = transaction  # type: ignore[method-assign]
    other = threading.Thread(target=create)
    other.start()
    start = time.perf_counter()
    removed = own.contexts.sweep()
    seconds = time.perf_counter() - start
    done.set()
    other.join()
    assert removed == number, f"{removed} of {number} were deleted"  # noqa: S101
    return {
        "contexts": number,
        "seconds": seconds,
        "batches": len(held),
        "median_lock": median(held),
        "longest_lock": max(held),
        "median_wait": median(waits),
        "longest_wait": max(waits),
    }


def hot_share(database: Database) -> float:
    """Return the share of updates of contexts that changed no index."""
    with database.transaction() as connection:
        connection.execute(select(func.pg_stat_force_next_flush()))
    with database.transaction() as connection:
        within, number = connection.execute(HOT).one()
    return float(within / number)


def report(
    times: Mapping[str, Mapping[str, Times]],
    deletion: Mapping[str, float],
    memory: list[float],
    hot: float | None,
) -> Result:
    """Lay out the measurements.

    Args:
        times: Seconds by database, call, and `few` or `many`.
        deletion: Of expired contexts.
        memory: MiB before the calls on SQLite, after them, and after the deletion.
        hot: Share of the updates on PostgreSQL that changed no index; None without PostgreSQL.
    """
    medians = {
        where: {call: [median(of[n]) for n in ("few", "many")] for call, of in calls.items()}
        for where, calls in times.items()
    }
    goals = []
    for where, calls in medians.items():
        worst = max(calls, key=lambda call: calls[call][1] / calls[call][0])
        ratio = calls[worst][1] / calls[worst][0]
        goals.append(
            Goal(f"{where} ÷ {FEW} contexts, of {worst}", f"≤ {TARGET_RATIO:g}", f"{ratio:.2f}", ratio <= TARGET_RATIO)
        )
    lock, growth = deletion["longest_lock"], memory[2] - memory[0]
    goals += [
        Goal(
            "longest lock while expired contexts are deleted",
            f"< {TARGET_LOCK * 1000:g} ms",
            short_time(lock),
            lock < TARGET_LOCK,
        ),
        Goal("growth of memory", f"≤ {TARGET_GROWTH} MiB", f"{growth:.0f} MiB", growth <= TARGET_GROWTH),
        Goal(
            "updates on PostgreSQL that change no index",
            f"≥ {TARGET_HOT:.0%}",
            "" if hot is None else f"{hot:.1%}",
            None if hot is None else hot >= TARGET_HOT,
        ),
    ]
    tables = [
        Table(
            f"{where} contexts:",
            ["call", f"among {FEW}", "among many", "ratio"],
            [[call, short_time(a), short_time(b), f"{b / a:.2f}"] for call, (a, b) in calls.items()],
        )
        for where, calls in medians.items()
    ]
    rate = deletion["contexts"] / deletion["seconds"]
    rows = [
        ["expired contexts", f"{deletion['contexts']:,.0f}"],
        ["deleted per second, pauses included", short(rate)],
        ["lock of a batch, median and longest", f"{short_time(deletion['median_lock'])}, {short_time(lock)}"],
        [
            "creation by another thread meanwhile, median and longest",
            f"{short_time(deletion['median_wait'])}, {short_time(deletion['longest_wait'])}",
        ],
        ["memory before the calls, after them, after the deletion", ", ".join(f"{value:.0f} MiB" for value in memory)],
    ]
    return Result(
        title="A million contexts",
        method=__doc__ or "",
        tables=[*tables, Table("Deletion of expired contexts on SQLite, and memory:", ["", ""], rows)],
        goals=goals,
        numbers={"medians": medians, "deletion": deletion, "memory": memory, "hot": hot},
    )
