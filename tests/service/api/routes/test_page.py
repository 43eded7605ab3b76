import gzip
import re

import pytest

from service.api.routes.page import DIRECTORY
from tests.nonempty import nonempty
from tests.service.in_process import InProcess

PLAIN = {"Accept-Encoding": "identity"}
BUNDLE = next(DIRECTORY.glob("main-*.js")).name
STYLE = next(DIRECTORY.glob("style-*.css")).name


def test_page_policy_forbids_inline_and_external_resources(client: InProcess) -> None:
    answer = client.request("GET", "/", headers=PLAIN)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'self'; object-src 'none'")
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "style=" not in answer.text
    assert "//" not in answer.text.replace("<!--", "")


def test_every_address_in_the_page_is_served(client: InProcess) -> None:
    text = client.request("GET", "/", headers=PLAIN).text
    for address in nonempty(set(re.findall(r'(?:href|src)="(web/[^"]+)"', text))):
        assert client.get(f"/{address}").status_code == 200, address


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (BUNDLE, "text/javascript; charset=utf-8"),
        (STYLE, "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("licences.txt", "text/plain; charset=utf-8"),
    ],
)
@pytest.mark.parametrize("coding", ["br", "gzip", "identity"])
def test_files_have_their_content_type_in_every_coding(client: InProcess, name: str, kind: str, coding: str) -> None:
    answer = client.request("GET", f"/web/{name}", headers={"Accept-Encoding": coding})
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.headers.get("content-encoding", "identity") == coding
    assert answer.headers["vary"] == "Accept-Encoding"


def test_stored_codings_have_the_same_content() -> None:
    for path in nonempty(DIRECTORY.glob("*.gz")):
        assert gzip.decompress(path.read_bytes()) == path.with_suffix("").read_bytes()
        assert 0 < path.with_suffix(".br").stat().st_size <= path.stat().st_size


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("GZip;q=1.0", "gzip"),
        ("br;q=0.2, gzip;q=0.8", "gzip"),
        ("br;q=0, *", "gzip"),
        ("*", "br"),
        ("", None),
        ("identity, gzip;q=0.5", None),
        ("br;q=0, gzip;q=0", None),
        ("identity;q=0, br;q=0, gzip;q=0", None),
        ("br;q=2, gzip;q=x, ;;, =, \t", None),
        ("brr, xgzip", None),
        ("br;q=" + "1" * 5000, None),
        (";q=1," * 2000 + "gzip", "gzip"),
        ("br, br;q=0", "br"),
    ],
)
def test_coding_follows_accept_encoding(client: InProcess, accepted: str, coding: str | None) -> None:
    answer = client.request("GET", f"/web/{BUNDLE}", headers={"Accept-Encoding": accepted})
    assert answer.status_code == 200
    assert answer.headers.get("content-encoding") == coding


def test_a_file_that_has_not_changed_is_not_sent_again(client: InProcess) -> None:
    first = client.get("/")
    assert first.headers["cache-control"] == "no-cache"
    again = client.request("GET", "/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["vary"] == "Accept-Encoding"


def test_codings_have_different_etags(client: InProcess) -> None:
    tags = {
        client.request("GET", "/", headers={"Accept-Encoding": coding}).headers["etag"]
        for coding in ("br", "gzip", "identity")
    }
    assert len(tags) == 3


@pytest.mark.parametrize(("name", "immutable"), [(BUNDLE, True), (STYLE, True), ("icon.svg", False)])
def test_bundles_are_cached_as_immutable(client: InProcess, name: str, immutable: bool) -> None:
    assert ("immutable" in client.get(f"/web/{name}").headers["cache-control"]) == immutable


def test_licences_of_bundled_libraries_are_kept() -> None:
    licences = (DIRECTORY / "licences.txt").read_text()
    for name in ("chart.js", "papaparse", "eventsource-parser"):
        assert f"{name} " in licences
    bundles = "".join(path.read_text() for path in nonempty(DIRECTORY.glob("*.js")))
    for notice in ("Chart.js v4", "Papa Parse"):
        assert notice in bundles


def test_head_answers_without_the_body(client: InProcess) -> None:
    answer = client.request("HEAD", "/")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/web/", "/web/none.js", "/web/..%2Fapp.py", "/web/%2e%2e/app.py", "/web/ask", "/web/src/main.js",
        "/web/sources.json", "/web/icon.svg.br", "/web/icon.svg.gz", "/web/%2e%2e/build.js",
        "/web/icon.svg%00", "/web/index.html/x",
    ],
)  # fmt: skip
@pytest.mark.parametrize("coding", ["br", "identity"])
def test_other_paths_of_the_page_are_404(client: InProcess, path: str, coding: str) -> None:
    answer = client.request("GET", path, headers={"Accept-Encoding": coding})
    assert answer.status_code == 404
    assert answer.json()["error_type"] == "not_found"


def test_page_accepts_no_other_method(client: InProcess) -> None:
    answer = client.request("POST", "/")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
