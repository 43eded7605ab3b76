"""Fewer examples for the torch models, which take ten times as long as the files made from them."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.properties.backends import TorchBackend

TORCH_EXAMPLES = 8
"""Of each property. The export checks that a file and its torch model give the same outputs."""
SETTINGS = "_hypothesis_internal_use_settings"
"""Hypothesis has no public way to choose settings by parameter."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Run properties of torch models with fewer examples."""
    with pytest.MonkeyPatch.context() as patch:
        kind = getattr(getattr(item, "callspec", None), "params", {}).get("kind")
        if kind is TorchBackend and isinstance(item, pytest.Function) and hasattr(item.obj, SETTINGS):
            few = settings(getattr(item.obj, SETTINGS), max_examples=TORCH_EXAMPLES)
            patch.setattr(item.obj, SETTINGS, few)
        return (yield)
