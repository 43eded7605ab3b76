import asyncio
import shutil
from importlib import metadata
from pathlib import Path

import httpx
import pytest

from service.app import create_app
from service.settings import Settings
from tests.running import running
from tests.service.in_process import InProcess, in_process


def test_a_loaded_service_is_live_and_ready(client: InProcess) -> None:
    version = metadata.version("gdssm")
    assert client.get("/health/live").json() == {"status": "live", "version": version}
    assert client.get("/health/ready").json() == {"status": "ready", "version": version}
    assert f'gdssm_build_info{{version="{version}"}} 1.0' in client.get("/metrics").text


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/health/ready"), ("GET", "/v1/models"), ("GET", "/v1/contexts"), ("POST", "/v1/predict")],
)
def test_requests_before_the_state_is_built_are_503(method: str, path: str) -> None:
    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(create_app(Settings()))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            body = {"context": {"x": [[1]], "y": [1]}, "query": [[1]]} if method == "POST" else None
            return [await http.request(method, path, json=body), await http.get("/health/live")]

    answer, live = asyncio.run(ask())
    assert (answer.status_code, answer.json()["error_type"]) == (503, "not_ready")
    assert live.status_code == 200


@pytest.mark.parametrize("model", [None, "gd-1.onnx"])
def test_without_the_default_model_the_service_is_live_but_not_ready(tmp_path: Path, model: str | None) -> None:
    if model:
        shutil.copy(Settings().zoo / model, tmp_path)
    with in_process(Settings(zoo=tmp_path)) as client:
        assert client.get("/health/live").status_code == 200
        ready = client.get("/health/ready")
        predicted = client.predict({"context": {"x": [[1]], "y": [1]}, "query": [[1]]})
    for answer in (ready, predicted):
        assert answer.status_code == 503
        assert answer.json()["error_type"] == "not_ready"
    assert "'nonlinear' is not loaded" in ready.json()["error"]


@pytest.mark.slow
def test_deleted_database_file_makes_the_service_not_ready(tmp_path: Path) -> None:
    file = tmp_path / "gdssm.db"
    with running(GDSSM_DATABASE_URL=f"sqlite:///{file}") as server, httpx.Client(base_url=server.url) as http:
        one = f"/v1/contexts/{http.post('/v1/contexts', json={'model': 'linear'}).json()['id']}"
        rows = {"x": [[1]], "y": [2]}
        assert http.post(f"{one}/observations", json=rows).status_code == 200
        assert http.get("/health/ready").status_code == 200
        file.unlink()
        answers = [
            http.post("/v1/contexts", json={"model": "linear"}),
            http.post(f"{one}/observations", json=rows),
            http.post(f"{one}/predictions", json={"query": [[1]]}),
            *map(
                http.get, ("/v1/contexts", one, f"{one}/state", "/v1/evaluations", "/health/ready", "/v2/health/ready")
            ),
        ]
        for answer in answers:
            assert (answer.status_code, answer.json()["error_type"]) == (503, "database_unavailable"), answer.text
            assert "The file of the database was deleted or replaced" in answer.json()["error"]
        assert http.post("/v1/predict", json={"context": rows, "query": [[1]]}).status_code == 200
        assert http.get("/health/live").status_code == 200
        assert server.stop() == 0
        assert "Traceback" not in server.log
        assert list(tmp_path.glob("gdssm.db")) == []
