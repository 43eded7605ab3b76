"""Shells complete commands and options."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT

COMPLETE = """
eval "$(_GDSSM_COMPLETE=bash_source gdssm)"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_gdssm_completion gdssm
printf '%s\\n' "${COMPREPLY[@]}"
"""


def gdssm_environment(**variables: str) -> dict[str, str]:
    """Return an environment in which `gdssm` is that of this tree."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'clients/python'}", **variables}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["ke"], {"keys"}),
        (["c"], {"contexts", "check"}),
        (["keys", "re"], {"revoke"}),
        (["check", "--j"], {"--json"}),
        (["eval", "--suite", "pr"], {"practical"}),
    ],
)
def test_bash_completes_commands_options_and_choices(words: list[str], expected: set[str]) -> None:
    bash = shutil.which("bash") or pytest.skip("bash is not installed: apt-get install bash")
    command = [bash, "--norc", "-euc", COMPLETE, "bash", "gdssm", *words]
    done = subprocess.run(command, env=gdssm_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == expected


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_scripts_for_other_shells_are_printed(shell: str) -> None:
    environment = gdssm_environment(_GDSSM_COMPLETE=f"{shell}_source")
    done = subprocess.run(
        [Path(sys.executable).with_name("gdssm")], env=environment, capture_output=True, text=True, check=True
    )
    assert f"_GDSSM_COMPLETE={shell}_complete" in done.stdout
