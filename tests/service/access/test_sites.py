import pytest

from service.access.sites import Sites, name_of, unknown_host
from service.errors import ForeignSite, InvalidSettings
from service.settings import Settings


def sites(**settings: object) -> Sites:
    return Sites(Settings.model_validate(settings))


LOOPBACK = ["localhost", "localhost:8000", "LOCALHOST:8000", "localhost.", "app.localhost:3000", "127.0.0.1:8000"]
LOOPBACK += ["127.8.8.8", "[::1]:8000", "[::1]"]
FOREIGN = ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1:8000"]
FOREIGN += ["evil.example:localhost", "localhost@evil.example", "127.0.0.1:80:80", "0.0.0.0:8000", "[::]:8000", "a"]


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_names_are_allowed_without_keys(host: str) -> None:
    assert sites().allows(host.encode())


@pytest.mark.parametrize("host", FOREIGN)
def test_other_names_are_refused_without_keys(host: str) -> None:
    assert not sites().allows(host.encode())


@pytest.mark.parametrize("host", [*LOOPBACK, *FOREIGN, ""])
def test_any_host_is_allowed_with_keys(host: str) -> None:
    assert sites(auth="on").allows(host.encode())


def test_request_without_host_is_allowed() -> None:
    assert sites().allows(b"")


def test_bound_address_is_allowed() -> None:
    bound = sites(host="gdssm.internal", auth="off")
    assert bound.allows(b"gdssm.internal:8000")
    assert not bound.allows(b"other.internal:8000")
    assert sites(host="10.0.0.1", auth="off").allows(b"10.0.0.1:8000")
    assert not sites(host="10.0.0.1", auth="off").allows(b"10.0.0.2:8000")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104  (read, never listened on)
def test_unspecified_bind_address_allows_addresses_but_not_names(host: str) -> None:
    everywhere = sites(host=host, auth="off")
    assert everywhere.allows(b"10.0.0.1:8000")
    assert everywhere.allows(b"[2001:db8::1]:8000")
    assert not everywhere.allows(b"evil.example:8000")


@pytest.mark.parametrize("auth", ["on", "off"])
def test_allowed_hosts_are_checked_with_keys_too(auth: str) -> None:
    listed = sites(auth=auth, allowed_hosts="gdssm.example.org, 10.0.0.1")
    for host in (b"gdssm.example.org", b"GDSSM.example.org:443", b"10.0.0.1:8000", b"localhost:8000"):
        assert listed.allows(host)
    assert not listed.allows(b"evil.example")


def test_star_allows_every_host_but_no_foreign_page() -> None:
    anything = sites(allowed_hosts="*")
    assert anything.allows(b"evil.example")
    with pytest.raises(ForeignSite):
        anything.check_page("POST", {b"host": b"localhost:8000", b"origin": b"http://evil.example"})


def test_unknown_host_error_names_the_remedies() -> None:
    assert str(unknown_host(b"evil.example")) == (
        "This service is not addressed as 'evil.example' (Host). "
        "Call it by localhost or by the address that it listens on, or list the name in GDSSM_ALLOWED_HOSTS."
    )
    assert len(str(unknown_host(b"e" * 1000))) < 300


OWN = [(b"http://localhost:8000", b"localhost:8000"), (b"http://LOCALHOST", b"localhost"), (b"https://[::1]", b"[::1]")]
OTHER = [
    (b"null", b"localhost:8000"),
    (b"", b"localhost:8000"),
    (b"http://localhost:3000", b"localhost:8000"),
    (b"http://evil.example", b"localhost:8000"),
    (b"file://", b""),
    (b"chrome-extension://localhost:8000", b"localhost:8000"),
]


@pytest.mark.parametrize(("origin", "host"), OWN)
def test_own_page_is_allowed(origin: bytes, host: bytes) -> None:
    sites().check_page("POST", {b"origin": origin, b"host": host})


@pytest.mark.parametrize(("origin", "host"), OTHER)
def test_page_of_another_site_or_port_is_refused(origin: bytes, host: bytes) -> None:
    with pytest.raises(ForeignSite, match="GDSSM_CORS_ORIGINS"):
        sites().check_page("POST", {b"origin": origin, b"host": host})


def test_listed_page_is_allowed_behind_a_proxy_that_changes_host() -> None:
    listed = sites(allowed_hosts="gdssm.example.org")
    listed.check_page("POST", {b"origin": b"https://gdssm.example.org", b"host": b"127.0.0.1:8000"})


LINK = {b"sec-fetch-site": b"cross-site", b"sec-fetch-mode": b"navigate", b"sec-fetch-dest": b"document"}


def test_following_a_link_to_a_page_is_allowed() -> None:
    sites().check_page("GET", LINK)


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", LINK),
        ("GET", {b"sec-fetch-site": b"cross-site"}),
        ("GET", {**LINK, b"sec-fetch-mode": b"no-cors"}),
        ("GET", {**LINK, b"sec-fetch-dest": b"iframe"}),
    ],
)
def test_other_cross_site_requests_are_refused(method: str, headers: dict[bytes, bytes]) -> None:
    with pytest.raises(ForeignSite, match="cross-site"):
        sites().check_page(method, headers)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        (b"a:8000", "a"),
        (b"a", "a"),
        (b"[::1]:80", "::1"),
        (b"[::1]a", "[::1]a"),
        (b"[::1]:a", "[::1]:a"),
        (b"::1", "::1"),
        (b"a:b", "a:b"),
        (b"A.", "a"),
        (b"", ""),
    ],
)
def test_port_and_brackets_are_removed_from_host(host: bytes, name: str) -> None:
    assert name_of(host) == name


def test_listed_origins_may_call_without_keys() -> None:
    listed = sites(cors_origins="https://App.example.org, http://localhost:3000")
    for origin in (b"https://app.example.org", b"http://localhost:3000"):
        listed.check_page("POST", {b"origin": origin, b"host": b"localhost:8000", b"sec-fetch-site": b"cross-site"})
    for origin in (b"https://app.example.org:8443", b"http://app.example.org", b"https://app.example.org.uk", b"null"):
        with pytest.raises(ForeignSite, match="GDSSM_CORS_ORIGINS"):
            listed.check_page("POST", {b"origin": origin, b"host": b"localhost:8000"})


def test_every_origin_needs_keys() -> None:
    with pytest.raises(InvalidSettings, match=r"^GDSSM_CORS_ORIGINS: with \* .*GDSSM_AUTH=on"):
        sites(cors_origins="*")
    assert not sites(cors_origins="*", auth="on").checks_pages
