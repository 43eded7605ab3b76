"""A pytest plugin: of parametrized tests as many as have each value of each parameter once, not each combination."""

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests whose parameters have only values that tests before them have."""
    kept: list[pytest.Item] = []
    seen = set[object]()
    for item in items:
        parameters = getattr(getattr(item, "callspec", None), "params", {"": ""})
        test = item.path, getattr(item, "originalname", item.name)
        values = {(*test, name, repr(value)) for name, value in parameters.items()}
        if not values <= seen:
            kept.append(item)
            seen |= values
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
