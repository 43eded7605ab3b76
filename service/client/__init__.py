"""The Python client and its scikit-learn estimators: `from service.client import Client, GDSSMRegressor`.

client, async_client   what users hold: predictions, contexts, models, evaluations
calls, context_calls, evaluation_calls   every call of the API, once: what is sent, and how the answer is read
call         what a call is
sending      methods that are calls, sent or awaited
sessions     connections: what is tried again, and what becomes of no answer
destination  the address and the key of a service, checked
in_process   the service in this process, without a socket
answers      what the service answers, as frozen objects
errors       everything else that a call can end in, as one tree
frames       lists, arrays and data frames in, the same kind out
arrays       lists, arrays, tensors, masked and sparse arrays to numbers
array_body   observations, queries and predictions as safetensors
tensor_body  tensors by the Open Inference Protocol
estimator, regressor, classifier   scikit-learn's interface to a state of constant size
engine       where an estimator's model runs

Nothing is imported before it is asked for: the client needs no scikit-learn, the local estimators no httpx.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.client.async_client import AsyncClient
    from service.client.classifier import GDSSMClassifier
    from service.client.client import Client
    from service.client.regressor import GDSSMRegressor

__all__ = ["AsyncClient", "Client", "GDSSMClassifier", "GDSSMRegressor"]

HOMES = {
    "AsyncClient": "async_client",
    "Client": "client",
    "GDSSMClassifier": "classifier",
    "GDSSMRegressor": "regressor",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  (a module's attributes are of any type)
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
