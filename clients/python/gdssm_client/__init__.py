"""The Python client: `from gdssm_client import Client`.

async_client, async_contexts, async_evaluations, async_streams  the client for asyncio and trio
client, contexts, evaluations, streams  the synchronous client, generated from it by .ci/sync_client.py
call         a request with the function that reads its response
sessions     connections
progress     a progress bar
pauses       pauses between requests for the progress of work
attempts     retries and the deadline
destination  checks of the service's address and of the API key
secret       a key that is never printed
in_process   the service in this process, without a socket
answers      predictions and pages
schemas, explanations  other responses; decoding makes them of JSON
choices, datatypes  values of some arguments
extras       modules that need more than the client's own dependencies
errors       the tree of exceptions
real_numbers  the definition of a number
frames       lists, arrays and data frames in, the same kind out
arrays       lists, arrays, tensors, masked and sparse arrays to numbers
array_body   observations, queries and predictions as safetensors
safetensors  arrays and texts in bytes
batch_body   rows of many contexts, and their results
tensor_body  tensors in the Open Inference Protocol
table_body   tables as JSON, and predictions of them
frame_tables  frames with columns of any kind as tables of cells
pandas_index  columns of a table that are the index of a pandas frame
sklearn      estimators for scikit-learn
learning     how a state learns and rows become numbers, for the estimators; generated from the service

Modules are imported on first use: local estimators need no httpx.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdssm_client.async_client import AsyncClient
    from gdssm_client.client import Client

__all__ = ["AsyncClient", "Client"]

MODULES = {"AsyncClient": "async_client", "Client": "client"}


def __getattr__(name: str) -> Any:  # noqa: ANN401  (a module's attributes are of any type)
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{MODULES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
