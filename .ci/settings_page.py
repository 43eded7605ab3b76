"""Write the table of settings into `docs/settings.md`: `python .ci/settings_page.py`; a test checks it."""

from pathlib import Path

from pydantic_core import PydanticUndefined

from service.settings import ENV_PREFIX, Settings

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "settings.md"
BEGIN, END = "<!-- settings: written by .ci/settings_page.py -->", "<!-- end of settings -->"


def table() -> str:
    """Lay out every setting with its default and its description."""
    rows = [
        f"| `{ENV_PREFIX}{name.upper()}` | {_default(name)} | {' '.join((field.description or '').split())} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| variable | default | meaning |", "| --- | --- | --- |", *rows])


def page(before: str) -> str:
    """Replace the table between the marks of a page."""
    head, _, rest = before.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{table()}\n\n{END}{tail}"


def _default(name: str) -> str:
    default = Settings.model_fields[name].default
    if default is PydanticUndefined or default is None or default == "":
        return "none"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, Path):
        return f"`{default.relative_to(ROOT)}`"
    return f"{default:g}" if isinstance(default, float) else str(default)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
