"""Documented numbers that no setting changes are those of the code."""

import pytest

from service.access.keyring import EXTRA_READS_LIMIT, OUTAGE_LIMIT, REFRESH_INTERVAL
from service.access.rate_limits import WINDOW_SECONDS
from service.api.executor import INLINE_LIMIT
from service.api.names import NAMES
from service.contexts import context_cache
from service.contexts.idempotency import KEPT_FOR
from service.errors import SHOWN
from service.inference.tensors import HEADER_BYTES
from service.registry import model_file, sandbox
from service.registry.repository import FIRST_LOOK
from service.server import http_protocol as transport
from service.server.serving import KEEP_ALIVE, LAST_GRACE
from tests.contracts.documents import SITE

TEXT = " ".join(" ".join(page.read_text(encoding="utf-8") for page in SITE).split())
MIB, DAY = 2**20, 86_400
PROMISES = [
    f"running services notice a revoked key within {REFRESH_INTERVAL:g} seconds",
    f"read again every {REFRESH_INTERVAL:g} seconds, and at once for a key that is not known",
    f"at most {EXTRA_READS_LIMIT} times more in {REFRESH_INTERVAL:g} seconds",
    f"the keys last known stay good for {OUTAGE_LIMIT / 60:g} minutes",
    f"so many requests in any {WINDOW_SECONDS:g} seconds",
    f"keeps the states that it used last, {context_cache.MOST / MIB:g} MiB of them",
    f"larger than {model_file.LARGEST / MIB:g} MiB",
    f"process with {sandbox.SECONDS} s, {sandbox.MEMORY / MIB / 1024:g} GiB (and {sandbox.COPIES} times its size)",
    f"in sandboxes in parallel, {sandbox.SECONDS} s each; after {FIRST_LOOK:g} s the start waits no longer",
    f"| {transport.HEAD_BYTES / 1024:g} KiB | request line, headers and trailers",
    f"| {HEADER_BYTES / MIB:g} MiB | the header of a body of safetensors",
    f"| {NAMES} | names of one object of JSON; of many mistakes the first {SHOWN} are reported",
    f"| {transport.PIPELINED} | requests of one connection that wait",
    f"| the limit of open files, less {transport.SPARE_FILES} | connections; idle ones end after {KEEP_ALIVE} s |",
    f"Exit code 0; {LAST_GRACE:g} seconds later the process ends by force",
    f"stored in the transaction of the change, for {'a day' if KEPT_FOR == DAY else KEPT_FOR}",
    f"work of up to {INLINE_LIMIT} numbers",
]


@pytest.mark.parametrize("promise", PROMISES)
def test_documented_number_is_that_of_the_code(promise: str) -> None:
    assert promise in TEXT
