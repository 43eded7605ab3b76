"""The configuration of pgbouncer in the documentation is that of deploy/, with which the tests run."""

from tests.pgbouncer import CONFIGURATION
from tests.running import ROOT


def test_the_documented_configuration_is_the_one_that_is_tested() -> None:
    documented = (ROOT / "docs/operating.md").read_text().split("```ini\n")[1].split("```")[0]
    assert documented == CONFIGURATION.read_text()
