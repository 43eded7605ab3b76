import pytest

from service.inference.runtime import Runtime
from service.registry import directories


@pytest.fixture(autouse=True)
def separate_runtimes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Load each file for itself: which of two equal files is served depends on it."""
    monkeypatch.setattr(directories, "Runtime", Runtime)
