import pytest

from tests.service.in_process import InProcess

LIBRARY = "/web/vendor/chart.js-4.6.1/chart.umd.min.js"


def test_page_policy_forbids_inline_and_external_resources(client: InProcess) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'self'; object-src 'none'")
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "style=" not in answer.text
    assert "//" not in answer.text.replace("<!--", "")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/web/main.js", "text/javascript; charset=utf-8"),
        ("/web/style/page.css", "text/css; charset=utf-8"),
        ("/web/icon.svg", "image/svg+xml"),
        (LIBRARY, "text/javascript; charset=utf-8"),
    ],
)
def test_files_have_their_content_type(client: InProcess, path: str, kind: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)


def test_a_file_that_has_not_changed_is_not_sent_again(client: InProcess) -> None:
    first = client.get("/")
    assert first.headers["cache-control"] == "no-cache"
    again = client.request("GET", "/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_vendored_library_is_cached_as_immutable(client: InProcess) -> None:
    assert "immutable" in client.get(LIBRARY).headers["cache-control"]


def test_head_answers_without_the_body(client: InProcess) -> None:
    answer = client.request("HEAD", "/")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("path", ["/web/", "/web/none.js", "/web/..%2Fapp.py", "/web/%2e%2e/app.py", "/web/ask"])
def test_other_paths_of_the_page_are_404(client: InProcess, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["error_type"] == "not_found"


def test_page_accepts_no_other_method(client: InProcess) -> None:
    answer = client.request("POST", "/")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
