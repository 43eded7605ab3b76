"""Checks of the URL and of the API key; the key is never printed."""

import os
import re
from typing import Final
from urllib.parse import urlsplit

from gdssm_client.errors import InvalidArgument
from gdssm_client.secret import KEY, Secret, SupportsSecret, shown

FROM_ENVIRONMENT: Final = "env"
"""As a key: the value of the environment variable GDSSM_API_KEY."""
KEY_VARIABLE = "GDSSM_API_KEY"
URL_VARIABLE = "GDSSM_URL"
LOCAL: Final = "local"
"""As a URL: the service in this process."""
HTTP = re.compile(r"https?://[^/?#\s]+(?:/[^?#\s]*)?", re.IGNORECASE)


def destination(url: str | None) -> str | None:
    """Return the checked URL of the service, by GDSSM_URL if none is given; None for the service in this process.

    Raises:
        InvalidArgument: It is not a URL of a service.
    """
    found = os.environ.get(URL_VARIABLE, "").strip() or LOCAL if url is None else url
    return None if found == LOCAL else checked_address(found)


def checked_address(url: str) -> str:
    """Check a URL; surrounding whitespace is removed.

    Raises:
        InvalidArgument: It is not a URL of a service.
    """
    if not isinstance(url, str):
        raise InvalidArgument(
            f"url: must be a text such as http://127.0.0.1:8000; this is of type {type(url).__name__}."
        )
    address = url.strip()
    if KEY.match(address):
        raise InvalidArgument("url: is an API key. Pass it as api_key, and as url the address of the service.")
    if not HTTP.fullmatch(address):
        bare = address if "://" not in address and address else "127.0.0.1:8000"
        raise InvalidArgument(
            f"url: must begin with http:// or https:// and name a host, as in http://{shown(bare.strip('/'))}; "
            f"this is {shown(address)!r}."
        )
    try:
        port = urlsplit(address).port
    except ValueError:
        port = 0
    if port == 0:
        raise InvalidArgument(f"url: has no port from 1 to 65535 behind the colon; this is {shown(address)!r}.")
    return address


def checked_key(api_key: str | SupportsSecret | None) -> Secret | None:
    """Check a key, or read it from the environment; surrounding whitespace is removed.

    Args:
        api_key: A key; None for GDSSM_API_KEY, if it is set; `FROM_ENVIRONMENT` requires it; "" for none.

    Raises:
        InvalidArgument: It has invalid characters, or the environment has none. The message does not contain it.
    """
    name = "api_key"
    if api_key is None or api_key == FROM_ENVIRONMENT:
        key, name = os.environ.get(KEY_VARIABLE, ""), KEY_VARIABLE
        if api_key is not None and not key.strip():
            raise InvalidArgument(f"{KEY_VARIABLE} is not set. Set it to the key, or pass the key as api_key.")
    else:
        if not isinstance(api_key, str) and not hasattr(api_key, "get_secret_value"):
            raise InvalidArgument(f"api_key: must be a text; this is of type {type(api_key).__name__}.")
        key = api_key if isinstance(api_key, str) else api_key.get_secret_value()
        if key == FROM_ENVIRONMENT:
            return checked_key(FROM_ENVIRONMENT)
    key = key.strip()
    wrong = next((i for i, character in enumerate(key) if not "!" <= character <= "~"), None)
    if wrong is not None:
        kind = "a space or line end" if key[wrong].isspace() else "a character that is not printable ASCII"
        raise InvalidArgument(
            f"{name}: has {kind} at position {wrong + 1} of {len(key)}. Send the key alone, as printed: gdssm_…"
        )
    return Secret(key) if key else None
