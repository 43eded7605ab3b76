"""The documentation is correct: its code prints what it says, its links lead somewhere, its numbers are measured."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.settings import ENV_PREFIX, Settings
from tests.clients.test_foreign_clients import PYTHON as CLIENTS
from tests.contracts.documents import EXECUTED, PAGES, SITE, Block, blocks, name
from tests.nonempty import nonempty
from tests.ray_cluster import PYTHON as ENGINES
from tests.redis import RedisServer
from tests.running import ROOT, Server, running

ADDRESS = "127.0.0.1:8000"
REDIS_ADDRESS = "redis://127.0.0.1:6379"
END = "--- end of block ---"
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)")
AIRFLOW = """
class Task:
    def __init__(self, function):
        self.function = function

    def __call__(self, *_):
        return None


def task(**_):
    return Task


def dag(**_):
    return lambda function: function
"""
"""Tasks have their function, and a DAG runs none. The real one takes more than a minute to install."""
KAFKA = """
from json import dumps
from types import SimpleNamespace


class KafkaConsumer:
    def __init__(self, topic, **_):
        rows = [{"device": f"pump {i % 2}", "speed": i, "power": 3 * i + i % 2} for i in range(20)]
        self.found = [{topic: [SimpleNamespace(value=dumps(row).encode()) for row in rows]}]
        self.learnt = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        assert self.learnt

    def poll(self, **_):
        return self.found.pop() if self.found else {}

    def commit(self):
        self.learnt = True
"""
"""A topic of 20 records, without a broker."""
STAND_INS = {"airflow.sdk": AIRFLOW, "kafka": KAFKA}
"""Modules that the environments of the tests lack."""
SHELL_PAGES = [page for page in EXECUTED if any(block.language == "sh" for block in blocks(page))]
PYTHON_BLOCKS = [(name(page), block) for page in EXECUTED for block in blocks(page) if block.language == "python"]
GENERATED, IMAGE = "tests/clients/test_generated_clients.py", "tests/deploy/test_image.py"
DISTRIBUTIONS, PRODUCTION = "tests/clients/python/test_distributions.py", "tests/deploy/test_production.py"
EXECUTED_BY = {
    ("clients/python/README.md", "pip"): DISTRIBUTIONS,
    ("docs/client.md", "pip"): DISTRIBUTIONS,
    ("docs/cluster.md", "ray"): "tests/ray_cluster.py",
    ("docs/http.md", "npx"): GENERATED,
    ("docs/http.md", "openapi-python-client"): GENERATED,
    ("docs/operating.md", "docker"): IMAGE,
    ("docs/operating.md", "make"): IMAGE,
    ("docs/operating.md", "podman"): IMAGE,
    ("docs/operating.md", "pg_dump"): PRODUCTION,
    ("docs/operating.md", "pg_restore"): PRODUCTION,
    ("docs/production.md", "sudo"): PRODUCTION,  # with stand-ins for programs that need root
}
"""Tests that execute the `bash` blocks of a page, by page and program."""
CHECKED = "tests/deploy/test_printed_commands.py checks"
COMPOSE = f"needs Docker with Compose, and images of other projects; {CHECKED} services, profiles and commands"
KUBECTL = f"needs a cluster; {CHECKED} files, names and commands"
MAKE = "installs packages for minutes; a test lists the recipe, and .ci/run executes check and test"
NOT_EXECUTED = {
    ("README.md", "make"): MAKE,
    ("CONTRIBUTING.md", "make"): MAKE,
    ("docs/start.md", "make"): MAKE,
    ("service/web/README.md", "make"): "installs packages of npm; tests/web/test_bundle.py executes build.js",
    ("docs/http.md", "npm"): "changes with each release of a package; tests/node.py installs the locked ones",
    ("docs/ingest.md", "docker compose"): COMPOSE,
    ("docs/operating.md", "docker compose"): COMPOSE,
    ("docs/operating.md", "kubectl"): KUBECTL,
}
"""Why no test executes the commands of a program in the `bash` blocks of a page."""
SHELL_WORDS = {"export"}
"""Commands of bash that only prepare the next ones."""
LINKS = [
    (name(page), link) for page in PAGES for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text("utf-8"))
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


@pytest.fixture(scope="module")
def redis_address() -> Iterator[str]:
    redis = RedisServer()
    redis.start()
    yield redis.url.removesuffix("/0")
    redis.close()


def run(command: list[str], folder: Path, python: Path = Path(sys.executable)) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(ENV_PREFIX)}
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    environment |= {"PATH": path, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'clients/python'}"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=500, cwd=folder, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def assert_prints(found: str, expected: str) -> None:
    """Compare texts: numbers to nine digits, everything else exactly."""
    assert NUMBER.sub("#", found.strip()) == NUMBER.sub("#", expected.strip())
    numbers = [[float(number) for number in NUMBER.findall(text)] for text in (found.strip(), expected.strip())]
    assert numbers[0] == pytest.approx(numbers[1], rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("page", SHELL_PAGES, ids=name)
def test_shell_commands_print_what_the_page_says(server: Server, folder: Path, page: Path) -> None:
    commands = [block for block in blocks(page) if block.language == "sh"]
    script = "".join(f"{block.code}\necho; echo '{END}'\n" for block in commands)
    script = script.replace(ADDRESS, server.url.removeprefix("http://"))
    *outputs, rest = run(["bash", "-euo", "pipefail", "-c", script], folder).split(END)
    assert not rest.strip()
    for block, output in zip(nonempty(commands), outputs, strict=True):
        assert_prints(output, block.output or "")


def python_for(code: str) -> Path:
    """Choose the environment of a block; skip the test if it is missing."""
    if "tritonclient" in code or "mapie" in code:
        python, name = CLIENTS, "clients"
    elif "pyspark" in code or "dask" in code:
        python, name = ENGINES, "engines"
    else:
        return Path(sys.executable)
    if not python.exists():
        pytest.skip(f"{python} is missing: make .venv-{name}/ready, or set {name.upper()}_PYTHON")
    if "pyspark" in code and shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java: install default-jre-headless, or set JAVA_HOME")
    return python


@pytest.mark.slow
@pytest.mark.parametrize(("page", "block"), PYTHON_BLOCKS, ids=lambda value: value if isinstance(value, str) else "")
def test_python_prints_what_the_page_says(
    server: Server, folder: Path, page: str, block: Block, request: pytest.FixtureRequest
) -> None:
    python = python_for(block.code)
    assert block.output is not None, f"{page}: print something"
    code = block.code.replace(ADDRESS, server.url.removeprefix("http://"))
    if REDIS_ADDRESS in code:
        code = code.replace(REDIS_ADDRESS, request.getfixturevalue("redis_address"))
    for module in (module for module in STAND_INS if f"from {module} import" in code):
        path = (folder / module.replace(".", "/")).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(STAND_INS[module])
    warnings = ["-W", "error"] if python == Path(sys.executable) else []
    assert_prints(run([str(python), *warnings, "-c", code], folder, python), block.output)


def test_the_pages_have_their_examples() -> None:
    with_code = {name(page) for page in SHELL_PAGES} | {page for page, _ in PYTHON_BLOCKS}
    assert with_code >= {"README.md"} | {
        f"docs/{page}.md"
        for page in [
            "client",
            "cluster",
            "contexts",
            "evaluations",
            "explanations",
            "http",
            "models",
            "operating",
            "recipes",
            "start",
            "tables",
        ]
    }


@pytest.mark.parametrize("page", [page for page in EXECUTED if blocks(page)], ids=name)
def test_blocks_are_of_known_languages(page: Path) -> None:
    languages = {block.language for block in blocks(page)}
    assert languages <= {"bash", "bibtex", "ini", "json", "python", "sh", "text", "typescript", "yaml"}


def program_of(line: str) -> str:
    """Return the program that a line of a `bash` block calls, `docker compose` as one."""
    first, *others = [word for word in line.split() if not re.match(r"\w+=", word)]
    return "docker compose" if (first, *others[:1]) == ("docker", "compose") else first


def test_every_printed_command_is_executed_by_a_test_or_listed_with_a_reason(
    record_property: Callable[[str, object], None],
) -> None:
    lines = [
        (name(page), line)
        for page in EXECUTED
        for block in blocks(page)
        if block.language == "bash"
        for line in block.code.splitlines()
    ]
    printed = {(page, program_of(line)) for page, line in lines}
    printed = {(page, program) for page, program in printed if program not in SHELL_WORDS}
    assert not EXECUTED_BY.keys() & NOT_EXECUTED.keys()
    assert printed == EXECUTED_BY.keys() | NOT_EXECUTED.keys()
    for (page, _), test in nonempty(EXECUTED_BY.items()):
        assert Path(page).name in (ROOT / test).read_text(encoding="utf-8"), f"{test} does not read {page}"
    for (page, program), reason in nonempty(NOT_EXECUTED.items()):
        record_property("not executed", f"{page}, {program}: {reason}")
    for line in nonempty(line for _, line in lines if program_of(line) == "make"):
        run(["make", "-C", str(ROOT), "--dry-run", line.split()[1]], ROOT)


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_a_link_leads_somewhere(page: str, link: str) -> None:
    path, _, anchor = link.partition("#")
    target = (ROOT / page).parent / path if path else ROOT / page
    assert target.exists()
    assert not anchor or anchor in anchors_of(target)


def anchors_of(page: Path) -> set[str]:
    """Name the headings and marks of a page as a link does."""
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    names = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    return names | {*re.findall(r'<a id="([^"]+)">', text)}


def test_the_page_of_settings_is_that_of_the_code() -> None:
    text = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert runpy.run_path(str(ROOT / ".ci/settings_page.py"))["page"](text) == text, "run python .ci/settings_page.py"
    for setting in nonempty(Settings.model_fields):
        assert f"`{ENV_PREFIX}{setting.upper()}`" in text


def test_every_setting_that_a_page_names_exists() -> None:
    known = {ENV_PREFIX + setting.upper() for setting in Settings.model_fields} | {"GDSSM_API_KEY", "GDSSM_URL"}
    for page in nonempty(EXECUTED):
        assert {*re.findall(r"(?<!\w)GDSSM_[A-Z_]*[A-Z]", page.read_text("utf-8"))} <= known, page


@pytest.mark.slow
def test_documented_metrics_are_those_of_the_service(server: Server) -> None:
    text = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    exposed = {*re.findall(r"^# TYPE (gdssm_\w+)", run(["curl", "-s", f"{server.url}/metrics"], ROOT), re.MULTILINE)}
    exposed = {metric for metric in exposed if not metric.endswith("_created")}
    documented = {*re.findall(r"`(gdssm_\w+)`", text)}
    assert documented == exposed


def test_the_front_page_is_short_and_its_numbers_are_measured() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    sizes = json.loads((ROOT / "benchmarks/results/accuracy.json").read_text())["numbers"]["regression"]
    for rows in nonempty(sizes.values()):  # "its mean rank is the best … at every size measured"
        assert min(rows, key=lambda row: row["rank"])["method"] == "nonlinear"
    by_name = {row["method"]: row for row in sizes["100"]}
    seconds = json.loads((ROOT / "benchmarks/results/cost.json").read_text())["numbers"]["median_seconds"]["query"]
    ours, forest = by_name["nonlinear"], by_name["random forest"]
    numbers = [
        f"median R² is **{ours['r2']:.2f}** (random forest {forest['r2']:.2f}, RidgeCV {by_name['RidgeCV']['r2']:.2f})",
        f"covers **{100 * ours['coverage_90']:.1f} %** of new points",
        f"**{1e3 * seconds['nonlinear']:.2f} ms** in process (random forest {1e3 * seconds['random forest']:.1f} ms)",
    ]
    for number in numbers:
        assert number in " ".join(text.split())


def test_the_table_of_trained_models_is_that_of_their_records() -> None:
    text = (ROOT / "gdssm/README.md").read_text(encoding="utf-8")
    records = {path.parent.name: json.loads(path.read_text()) for path in (ROOT / "gdssm/runs").glob("*/record.json")}
    lines = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| `")]
    rows = {cells[0].strip("` "): cells[1:] for cells in lines}
    for run_name, record in nonempty(records.items()):
        loss, reference, *_ = rows[run_name]
        assert float(loss) == pytest.approx(record["metrics"]["loss"], rel=5e-3), run_name
        if "reference_loss" in record["metrics"]:
            assert float(reference) == pytest.approx(record["metrics"]["reference_loss"], rel=5e-4), run_name


def test_every_path_that_guides_a_contributor_exists() -> None:
    folders = r"\.ci|benchmarks|clients|deploy|docs|examples|export|gdssm|service|tests"
    for page in ("CONTRIBUTING.md", "docs/architecture.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for path in nonempty(re.findall(rf"`((?:{folders})/[\w./-]*)`", text)):
            assert (ROOT / path).exists(), f"{page} names {path}"


def test_the_site_lists_every_page() -> None:
    listed = re.findall(r'= "(\w+\.md)"', (ROOT / "zensical.toml").read_text(encoding="utf-8"))
    assert sorted(listed) == [page.name for page in SITE]


def test_recipes_are_short() -> None:
    for block in nonempty(block for block in blocks(ROOT / "docs/recipes.md") if block.language == "python"):
        assert len([line for line in block.code.splitlines() if line]) <= 20, block.code
