import base64
import hashlib
import re

import pytest

from tests.nonempty import nonempty
from tests.service.in_process import InProcess


@pytest.mark.parametrize("path", ["/", "/docs", "/v1/models", "/nothing", "/static-offline-docs/swagger-ui.css"])
def test_responses_forbid_sniffing_and_sharing(client: InProcess, path: str) -> None:
    headers = client.request("GET", path, headers={"Origin": "https://elsewhere.example"}).headers
    assert headers.get_list("x-content-type-options") == ["nosniff"]
    assert not [name for name in headers if name.startswith("access-control-")]


def test_docs_page_may_run_its_own_scripts_only(client: InProcess) -> None:
    answer = client.get("/docs")
    (policy,) = answer.headers.get_list("content-security-policy")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    scripts = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert rules["script-src"] == f"'self' 'sha256-{digest}'"
    assert (rules["default-src"], rules["frame-ancestors"]) == ("'none'", "'none'")
    assert answer.headers["referrer-policy"] == "no-referrer"
    for address in nonempty(re.findall(r'(?:src|href)="([^"]+)"', answer.text)):
        assert client.get(address).status_code == 200  # all of this origin: 'self' is enough


def test_page_with_a_policy_keeps_it(client: InProcess) -> None:
    (policy,) = client.get("/").headers.get_list("content-security-policy")
    assert "sha256" not in policy


def test_responses_that_are_no_page_have_no_policy(client: InProcess) -> None:
    assert "content-security-policy" not in client.get("/v1/models").headers
