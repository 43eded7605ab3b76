"""URL and key are checked before anything is sent, and the key is never printed."""

import pickle
import traceback

import pytest
from pydantic import SecretStr
from sklearn import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gdssm_client import AsyncClient, Client
from gdssm_client.destination import checked_address, checked_key, destination
from gdssm_client.errors import ClientError, InvalidArgument
from gdssm_client.secret import Secret, shown
from gdssm_client.sessions import ConnectionSettings
from gdssm_client.sklearn import GDSSMClassifier, GDSSMRegressor
from service.settings import Settings
from tests.clients.python.stand_in import Reply, standing_in

KEY = "gdssm_0123456789abcdef_SECRET-secret-SECRET"
HERE = "http://127.0.0.1:9"
ADDRESSES = ["127.0.0.1:8000", "localhost:8000", "localhost", "ftp://a", "//a:8000", "http://", "http:/a", ""]
ADDRESSES += ["http://a:99999", "http://a:0", "http://a:port", "http://a b", "http://a?b=c"]
KEYS = [f"{KEY}\nX-Other: a", f"gd\rssm{KEY}", f"Bearer {KEY}", f"{KEY}\x00", f"{KEY}é", f"{KEY} {KEY}", f"{KEY}\x7f"]


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("url", ADDRESSES)
def test_invalid_urls_are_refused(kind: type[Client] | type[AsyncClient], url: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^url: ") as error:
        kind(url)
    assert isinstance(error.value, ClientError)
    assert isinstance(error.value, ValueError)
    assert "answer" not in str(error.value)


@pytest.mark.parametrize(
    "url", ["me:password@localhost:8000", "ftp://me:password@host", "http://me:password@host:port"]
)
def test_password_in_url_is_not_printed(url: str) -> None:
    with pytest.raises(InvalidArgument) as error:
        Client(url)
    assert "password" not in str(error.value)


@pytest.mark.parametrize("url", [KEY, f" {KEY}\n", f"127.0.0.1:8000/{KEY}", f"http://a?key={KEY}", f"{KEY}@a"])
def test_key_in_url_is_not_printed(url: str) -> None:
    with pytest.raises(InvalidArgument) as error:
        Client(url)
    assert "SECRET" not in "".join(traceback.format_exception(error.value))
    assert ("Pass it as api_key" in str(error.value)) == url.strip().startswith("gdssm_")


@pytest.mark.parametrize("value", [5, KEY.encode(), [KEY]])
def test_url_and_key_of_another_type_are_refused(value: object) -> None:
    kind = type(value).__name__
    with pytest.raises(InvalidArgument, match=rf"^url: must be a text such as http://\S+; this is of type {kind}\.$"):
        Client(value)  # type: ignore[arg-type]  # ty: ignore[invalid-argument-type]
    with pytest.raises(InvalidArgument, match=rf"^api_key: must be a text; this is of type {kind}\.$"):
        Client(HERE, api_key=value)  # type: ignore[arg-type]  # ty: ignore[invalid-argument-type]


@pytest.mark.parametrize("url", ["http://a", "HTTP://a:1/", "https://[::1]:65535/below/path", "  http://me:pw@a \n"])
def test_url_is_stripped(url: str) -> None:
    assert checked_address(url) == url.strip()


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("key", KEYS)
def test_invalid_key_is_refused_without_printing_it(kind: type[Client] | type[AsyncClient], key: str) -> None:
    with pytest.raises(
        InvalidArgument, match=r"^api_key: has .* of \d+\. Send the key alone, as printed: gdssm_…$"
    ) as error:
        kind(HERE, api_key=key)
    assert "SECRET" not in "".join(traceback.format_exception(error.value))
    estimator = GDSSMRegressor(url=HERE, api_key=key)
    with pytest.raises(InvalidArgument) as error:
        estimator.fit([[1.0], [2.0]], [1.0, 2.0])
    assert "SECRET" not in "".join(traceback.format_exception(error.value))


@pytest.mark.parametrize("key", [KEY, f" {KEY}\r\n", SecretStr(f"{KEY}\n")])
def test_key_is_stripped(key: str | SecretStr) -> None:
    with standing_in(Reply(404)) as service, Client(service.url, api_key=key, retries=0) as client:
        with pytest.raises(ClientError):
            client.models()
        assert service.authorizations == [f"Bearer {KEY}"]


@pytest.mark.parametrize("key", ["", "  "])
def test_empty_key_is_none(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSSM_API_KEY", KEY)
    assert checked_key(key) is None


@pytest.mark.parametrize("key", [None, "env", SecretStr("env")])
def test_key_is_read_from_the_environment(key: str | SecretStr | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSSM_API_KEY", f"{KEY}\n")
    assert checked_key(key) == Secret(KEY)
    with standing_in(Reply(404), Reply(404)) as service:
        with Client(service.url, api_key=key, retries=0) as client, pytest.raises(ClientError):
            client.models()
        with pytest.raises(ValueError, match="404"):
            GDSSMRegressor(url=service.url, api_key=key).fit([[1.0], [2.0]], [1.0, 2.0])
        assert service.authorizations == [f"Bearer {KEY}"] * 2


def test_url_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with standing_in(Reply(200, b'{"default": "linear", "models": [], "refused": []}')) as service:
        monkeypatch.setenv("GDSSM_URL", f" {service.url}\n")
        with Client() as client:
            assert client.models().default == "linear"
    assert [path for _, path, _ in service.asked] == ["/v1/models"]
    monkeypatch.setenv("GDSSM_URL", "127.0.0.1:9")
    with pytest.raises(InvalidArgument, match=r"http://127\.0\.0\.1:9"):
        Client()


@pytest.mark.parametrize("value", [None, "", " "])
def test_without_a_url_the_service_is_in_this_process(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GDSSM_URL", raising=False)
    if value is not None:
        monkeypatch.setenv("GDSSM_URL", value)
    assert destination(None) is None
    monkeypatch.setenv("GDSSM_URL", HERE)
    assert destination("local") is None


@pytest.mark.parametrize("value", [None, "", " "])
def test_missing_environment_variable_is_reported(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GDSSM_API_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("GDSSM_API_KEY", value)
    with pytest.raises(
        InvalidArgument, match=r"GDSSM_API_KEY is not set\. Set it to the key, or pass the key as api_key\.$"
    ):
        Client(HERE, api_key="env")


def test_invalid_key_error_names_the_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSSM_API_KEY", f"{KEY}\n{KEY}")
    with pytest.raises(InvalidArgument, match=r"^GDSSM_API_KEY: has ") as error:
        Client(HERE, api_key="env")
    assert "SECRET" not in str(error.value)


@pytest.mark.parametrize("kind", [GDSSMRegressor, GDSSMClassifier])
@pytest.mark.parametrize("secret", [KEY, SecretStr(KEY)])
def test_estimator_repr_hides_the_key(
    kind: type[GDSSMRegressor] | type[GDSSMClassifier], secret: str | SecretStr
) -> None:
    given = kind(url=HERE, api_key=secret)
    later = kind(url=HERE).set_params(api_key=secret)
    pipeline = make_pipeline(StandardScaler(), given)
    for estimator in (given, later, clone(given), pickle.loads(pickle.dumps(given)), pipeline, clone(pipeline)):  # noqa: S301
        for text in (repr(estimator), str(estimator), estimator._repr_html_(), str(estimator.get_params())):
            assert "SECRET" not in text
            assert "api_key" in text
    assert given.api_key is not None
    assert clone(given).api_key.get_secret_value() == KEY


def test_neither_connections_nor_settings_print_secrets() -> None:
    assert "SECRET" not in repr(ConnectionSettings.to("http://me:SECRET@a", KEY, 1.0, 0))
    assert "SECRET" not in repr(Settings(database_url="postgresql://me:SECRET@host/name"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://u:p@h:1/a@b", "http://h:1/a@b"),
        ("u:p@h", "h"),
        ("http://h", "http://h"),
        ("http://u:p@x@h", "http://h"),
    ],
)
def test_shown_url_has_no_user(url: str, expected: str) -> None:
    assert shown(url) == expected
