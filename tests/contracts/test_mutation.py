"""The modules and tests of `make mutants` exist, and each listed equivalent mutant is of a line that exists."""

import re

import pytest

from tests.mutation.modules import MODULES, ROOT, Equivalent, equivalents

TESTS = {module: tests for modules in MODULES.values() for module, tests in modules.items()}


@pytest.mark.parametrize("module", TESTS)
def test_a_module_that_is_mutated_exists_and_so_do_its_tests(module: str) -> None:
    assert (ROOT / module).is_file()
    assert TESTS[module]
    assert all((ROOT / test).exists() for test in TESTS[module])


def test_every_module_of_access_is_mutated() -> None:
    inside = {str(path.relative_to(ROOT)) for path in (ROOT / "service/access").glob("*.py")}
    assert inside - {"service/access/__init__.py"} == set(MODULES["access"])


@pytest.mark.parametrize("entry", equivalents(), ids=lambda entry: f"{entry.module}: {entry.mutant}")
def test_an_equivalent_mutant_is_of_a_line_that_exists_and_has_a_reason(entry: Equivalent) -> None:
    lines = re.sub(r"\s*\n\s*", " ", (ROOT / entry.module).read_text())
    assert entry.original in lines
    assert entry.original != entry.mutant
    assert len(entry.reason.split()) > 3
