"""Documented numbers that no setting changes are those of the code."""

import pytest

from service.access.keyring import EXTRA_READS_LIMIT, OUTAGE_LIMIT, REFRESH_INTERVAL
from service.access.rate_limits import WINDOW_SECONDS
from service.api.executor import INLINE_LIMIT
from service.api.object_limits import FIELD_LIMIT
from service.contexts.idempotency import KEPT_FOR
from service.errors import MAX_REPORTED_PROBLEMS
from service.inference.tensors import HEADER_BYTES
from service.lru_cache import BYTES_LIMIT
from service.registry import model_file, sandbox
from service.registry.repository import FIRST_SCAN_TIMEOUT
from service.server import http_protocol as transport
from service.server.serving import EXIT_GRACE, KEEP_ALIVE_SECONDS
from tests.contracts.documents import SITE

TEXT = " ".join(" ".join(page.read_text(encoding="utf-8") for page in SITE).split())
MIB, DAY = 2**20, 86_400
PROMISES = [
    f"running services notice a revoked key within {REFRESH_INTERVAL:g} seconds",
    f"read again every {REFRESH_INTERVAL:g} seconds, and at once for a key that is not known",
    f"at most {EXTRA_READS_LIMIT} times more in {REFRESH_INTERVAL:g} seconds",
    f"the keys last known stay good for {OUTAGE_LIMIT / 60:g} minutes",
    f"so many requests in any {WINDOW_SECONDS:g} seconds",
    f"keeps the states that it used last, {BYTES_LIMIT / MIB:g} MiB of them",
    f"larger than {model_file.FILE_SIZE_LIMIT / MIB:g} MiB",
    (
        f"process with {sandbox.LOAD_TIMEOUT} s, {sandbox.BASE_MEMORY / MIB / 1024:g} GiB "
        f"(and {sandbox.FILE_SIZE_FACTOR} times its size)"
    ),
    (
        f"in sandboxes in parallel, {sandbox.LOAD_TIMEOUT} s each; "
        f"after {FIRST_SCAN_TIMEOUT:g} s the start waits no longer"
    ),
    f"| {transport.HEAD_SIZE_LIMIT / 1024:g} KiB | request line, headers and trailers",
    f"| {HEADER_BYTES / MIB:g} MiB | the header of a body of safetensors",
    f"| {FIELD_LIMIT} | names of one object of JSON; of many mistakes the first {MAX_REPORTED_PROBLEMS} are reported",
    f"| {transport.PIPELINE_LIMIT} | requests of one connection that wait",
    (
        f"| the limit of open files, less {transport.RESERVED_FILES} | connections; "
        f"idle ones end after {KEEP_ALIVE_SECONDS} s |"
    ),
    f"Exit code 0; {EXIT_GRACE:g} seconds later the process ends by force",
    f"stored in the transaction of the change, for {'a day' if KEPT_FOR == DAY else KEPT_FOR}",
    f"work of up to {INLINE_LIMIT} numbers",
]


@pytest.mark.parametrize("promise", PROMISES)
def test_documented_number_is_that_of_the_code(promise: str) -> None:
    assert promise in TEXT
