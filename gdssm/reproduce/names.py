"""What learners are called in figures and tables; `plot_style` colours them by these names."""

ZERO = "zero"


def trained(layers: int) -> str:
    """Name a trained stack."""
    return f"trained, {layers} layer{_s(layers)}"


def descent(steps: int, *, shared: bool = False) -> str:
    """Name gradient descent with fixed rates."""
    rates = "" if steps == 1 else ", one rate" if shared else ", a rate each"
    return f"descent, {steps} step{_s(steps)}{rates}"


def line_search(steps: int) -> str:
    """Name gradient descent whose rates follow from the context."""
    return f"line search, {steps} step{_s(steps)}"


def _s(count: int) -> str:
    return "" if count == 1 else "s"
