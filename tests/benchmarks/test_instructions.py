from benchmarks.serving.instructions import FILES_BY_PURPOSE, REST, profile_report, shares
from benchmarks.serving.specs import ROOT
from tests.nonempty import nonempty

STACKS = [
    "run (service/server/serving.py:60);Runtime.run (service/inference/runtime.py:120) 30",
    "run (service/server/serving.py:60);decode (service/api/json_arrays.py:40) 10",
    "run (service/server/serving.py:60);something (elsewhere.py:1) 10",
    "Thread._bootstrap (threading.py:1002);Condition.wait (threading.py:320) 500",
]


def test_samples_count_for_the_innermost_function_and_waiting_for_nothing() -> None:
    found = shares(STACKS)
    assert found == {
        "reading and checking the body": 0.2,
        "the model (onnxruntime) and its inputs": 0.6,
        REST: 0.2,
    }
    microseconds = {purpose: 200 * share for purpose, share in found.items()}
    assert "| the model (onnxruntime) and its inputs | 120 µs (60%) |" in profile_report({"S": microseconds}).markdown()
    assert "| **all** | 200 µs |" in profile_report({"S": microseconds}).markdown()


def test_every_file_with_a_purpose_exists() -> None:
    paths = [str(path) for path in (ROOT / "service").rglob("*.py")]
    own = [part for parts in FILES_BY_PURPOSE.values() for part in parts if part.endswith(".py") or "service/" in part]
    for part in nonempty(own):
        assert any(part in path for path in paths), part
