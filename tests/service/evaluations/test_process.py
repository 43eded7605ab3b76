"""The worker process of an evaluation."""

from pathlib import Path

import pytest

from service.evaluations.process import JobSpec, WorkerProcess
from service.evaluations.request import EvaluationRequest


@pytest.mark.slow
def test_worker_imports_no_package_of_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "__init__.py").write_text("raise RuntimeError('this is another service')")
    monkeypatch.chdir(tmp_path)
    spec = JobSpec(request=EvaluationRequest(models=["linear"]), directories=(tmp_path,), versions={"linear": "1.0.0"})
    with WorkerProcess(spec) as worker:
        assert [result for result in worker.results(60.0) if result] == []
        assert "NotReady" in str(worker.failure())
