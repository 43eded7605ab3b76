"""nginx with the shipped configuration: TLS, limits, and people who sign in by OpenID Connect."""

import json
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from service.access.keys import Keys, id_of
from service.store.database import Database
from tests.running import ROOT, free_port, running

FILES = ROOT / "deploy/nginx"
HOST = "gdssm.example.org"
SESSION = {"Cookie": "_oauth2_proxy=of-alice"}
NO_HEADERS: dict[str, str] = {}
LOG_IN = {"Accept": "text/html,application/xhtml+xml"}
MAIN = """
daemon off;
user root;
pid {directory}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/gdssm.conf;
}}
"""


class SignIn(BaseHTTPRequestHandler):
    """Answers as oauth2-proxy does: /oauth2/auth says who has signed in, other paths are pages."""

    def do_GET(self) -> None:
        signed_in = SESSION["Cookie"] in self.headers.get("Cookie", "")
        if self.path != "/oauth2/auth":
            self._answer(200)
        elif signed_in:
            self._answer(202, {"X-Auth-Request-Email": "alice@example.org"})
        else:
            self._answer(401)

    def _answer(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": "0", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write nothing."""


class Site:
    """nginx, in front of a service with two keys."""

    def __init__(self, port: int, directory: Path, alice: str, program: str) -> None:
        self.port, self.alice, self.program = port, alice, program
        self.context = ssl.create_default_context(cafile=directory / "fullchain.pem")

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] = NO_HEADERS,
        **options: Any,  # noqa: ANN401  (httpx's own)
    ) -> httpx.Response:
        with httpx.Client(verify=self.context, timeout=60) as client:
            headers = {"Host": HOST, **headers}
            extensions = {"sni_hostname": HOST}
            address = f"https://127.0.0.1:{self.port}{path}"
            return client.request(method, address, headers=headers, extensions=extensions, **options)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def write_configuration(directory: Path, port: int, service: str, sign_in: int | None) -> Path:
    """Write the shipped files with the ports and paths of a test."""
    (directory / "gdssm").mkdir()
    text = (FILES / "gdssm.conf").read_text()
    replaced = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "127.0.0.1:8000": service,
        "/etc/ssl/gdssm/": f"{directory}/",
        "/etc/nginx/gdssm/": f"{directory}/gdssm/",
    }
    for shipped, here in replaced.items():
        assert shipped in text
        text = text.replace(shipped, here)
    (directory / "gdssm.conf").write_text(text)
    if sign_in is not None:
        oidc = (FILES / "oidc.conf").read_text()
        (directory / "gdssm" / "oidc.conf").write_text(oidc.replace("127.0.0.1:4180", f"127.0.0.1:{sign_in}"))
    main = directory / "nginx.conf"
    main.write_text(MAIN.format(directory=directory))
    return main


def make_certificate(directory: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-days", "2", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    command += ["-keyout", str(directory / "privkey.pem"), "-out", str(directory / "fullchain.pem")]
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def proxied(directory: Path, *, oidc: bool) -> Iterator[Site]:
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if nginx is None or shutil.which("openssl") is None:
        pytest.skip("nginx or openssl is not installed: apt-get install nginx openssl")
    make_certificate(directory)
    url = f"sqlite:///{directory}/gdssm.db"
    database = Database.open(url)
    alice, program = (Keys(database).create(name) for name in ("alice", "program"))
    database.close()
    stub = ThreadingHTTPServer(("127.0.0.1", 0), SignIn)
    Thread(target=stub.serve_forever, daemon=True).start()
    with running(GDSSM_DATABASE_URL=url, GDSSM_AUTH="on", GDSSM_ALLOWED_HOSTS=HOST) as server:
        port, sign_in = free_port(), stub.server_address[1] if oidc else None
        main = write_configuration(directory, port, server.url.removeprefix("http://"), sign_in)
        if oidc:
            (directory / "gdssm" / "keys.map").write_text(f"alice@example.org {alice};\n")
        command = [nginx, "-p", str(directory), "-c", str(main)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                site = Site(port, directory, alice, program)
                wait_for(site, process)
                yield site
            finally:
                process.terminate()
                process.communicate(timeout=60)
    stub.shutdown()
    stub.server_close()


def wait_for(site: Site, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            assert site.get("/health/ready").status_code == 200
        except httpx.ConnectError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(process.communicate()[1])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with proxied(tmp_path_factory.mktemp("plain"), oidc=False) as site:
        yield site


@pytest.fixture(scope="module")
def signing_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with proxied(tmp_path_factory.mktemp("oidc"), oidc=True) as site:
        yield site


BODY = {"model": "linear", "context": {"x": [[1], [2], [3]], "y": [2, 4, 6]}, "query": [[4]]}


@pytest.mark.slow
def test_programs_send_their_key_through_the_proxy(site: Site) -> None:
    key = {"Authorization": f"Bearer {site.program}"}
    answer = site.request("POST", "/v1/predict", json=BODY, headers={**key, "X-Request-ID": "mine"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-request-id"] == "mine"
    assert answer.headers["strict-transport-security"]
    refused = site.get("/v1/models")
    assert (refused.status_code, refused.json()["error_type"]) == (401, "unauthenticated")


@pytest.mark.slow
def test_metrics_are_not_for_the_outside_and_bodies_are_limited(site: Site) -> None:
    assert site.get("/metrics").status_code == 404
    key = {"Authorization": f"Bearer {site.program}"}
    assert site.request("POST", "/v1/predict", content=b" " * (2**24 + 1), headers=key).status_code == 413
    json_key = {**key, "Content-Type": "application/json"}
    largest = site.request("POST", "/v1/predict", content=b" " * 2**24, headers=json_key)
    assert largest.json()["error_type"] == "malformed_body"


@pytest.mark.slow
def test_live_streams_pass_the_proxy(site: Site) -> None:
    key = {"Authorization": f"Bearer {site.program}"}
    context = site.request("POST", "/v1/contexts", json={"model": "linear"}, headers=key).json()["id"]
    address = f"wss://{HOST}:{site.port}/v1/contexts/{context}/stream"
    options: dict[str, Any] = {"address": ("127.0.0.1", site.port), "ssl": site.context, "proxy": None}
    with connect(address, additional_headers=key, **options) as stream:
        stream.send('{"observation": {"x": [1], "y": 2}}')
        assert json.loads(stream.recv(timeout=60))["n_observations"] == 1
    with pytest.raises(InvalidStatus) as refused:
        connect(address, **options)
    assert refused.value.response.status_code == 401


@pytest.mark.slow
def test_person_who_has_signed_in_uses_the_key_of_the_map(signing_in: Site) -> None:
    made = signing_in.request("POST", "/v1/contexts", json={"model": "linear"}, headers=SESSION)
    assert made.status_code == 201, made.text
    path = f"/v1/contexts/{made.json()['id']}"
    assert signing_in.get(path, Authorization=f"Bearer {signing_in.alice}").status_code == 200
    assert signing_in.get(path, Authorization=f"Bearer {signing_in.program}").status_code == 404


@pytest.mark.slow
def test_person_who_has_not_signed_in_is_asked_to(signing_in: Site) -> None:
    page = signing_in.request("GET", "/", headers=LOG_IN)
    assert (page.status_code, page.headers["location"].partition("/oauth2/")[2]) == (302, "start?rd=/")
    assert signing_in.get("/v1/models").status_code == 401
    assert signing_in.get("/oauth2/sign_in").status_code == 200
    assert signing_in.get("/health/ready").status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["no-cors", "cors"])
def test_pages_of_other_sites_cannot_use_a_session(signing_in: Site, mode: str) -> None:
    headers = {**SESSION, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode}
    assert signing_in.request("POST", "/v1/contexts", json={"model": "linear"}, headers=headers).status_code == 403
    form = {**SESSION, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert signing_in.request("POST", "/v1/contexts", json={"model": "linear"}, headers=form).status_code == 403
    assert signing_in.request("GET", "/", headers=form).status_code == 200


@pytest.mark.slow
def test_made_up_key_does_not_pass_instead_of_signing_in(signing_in: Site) -> None:
    made_up = f"Bearer gdssm_{id_of(signing_in.alice)}_guess"
    assert signing_in.get("/v1/models", Authorization=made_up).json()["error_type"] == "unauthenticated"
    assert signing_in.get("/v1/models", Authorization="Basic YTpi").status_code == 401
