"""Where a client sends its calls, and with which key: both checked here, and the key never printed."""

import os
import re
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from service.client.errors import InvalidArgument

FROM_ENVIRONMENT: Final = "env"
"""As a key: the one in the environment variable `VARIABLE`, read when it is needed."""
VARIABLE = "GDSSM_API_KEY"
USER = re.compile(r"(?<=//)[^/?#]*@|^[^/?#]*@")
"""Of an address: user and password."""
HTTP = re.compile(r"https?://[^/?#\s]+(?:/[^?#\s]*)?", re.IGNORECASE)


def checked_address(url: str) -> str:
    """Take surrounding space off an address.

    Raises:
        InvalidArgument: It is none of a service.
    """
    address = url.strip()
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


def shown(url: str) -> str:
    """Write an address for people: without user and password."""
    return USER.sub("", url)


def checked_key(api_key: str | SecretStr | None) -> SecretStr | None:
    """Find the key to send; surrounding space is no part of it.

    Args:
        api_key: A key, `FROM_ENVIRONMENT`, or None for none.

    Raises:
        InvalidArgument: It holds what no key holds, or the environment has none. The message does not repeat it.
    """
    key = api_key.get_secret_value() if isinstance(api_key, SecretStr) else api_key
    name = "api_key"
    if key == FROM_ENVIRONMENT:
        key, name = os.environ.get(VARIABLE, ""), VARIABLE
        if not key.strip():
            raise InvalidArgument(f"{VARIABLE} is not set. Set it to the key, or give the key as api_key.")
    key = (key or "").strip()
    wrong = next((at for at, character in enumerate(key) if not "!" <= character <= "~"), None)
    if wrong is not None:
        kind = "a space or line end" if key[wrong].isspace() else "a character that is not ASCII or cannot be seen"
        raise InvalidArgument(
            f"{name}: has {kind} at position {wrong + 1} of {len(key)}. Send the key alone, as it was printed: gdssm_…"
        )
    return SecretStr(key) if key else None
