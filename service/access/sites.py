"""Checks of the headers Host, Origin and Sec-Fetch-Site.

Without keys any web page in a user's browser can send requests to 127.0.0.1, and with a domain that resolves to
127.0.0.1 (DNS rebinding) read the responses. So while keys are off, Host must be a name of the service, and Origin and
Sec-Fetch-Site must not name another site, except an origin of GDSSM_CORS_ORIGINS. With keys this is not needed:
browsers do not add a key to such requests.
"""

import ipaddress
from collections.abc import Mapping

from service.access.keyring import keys_required
from service.errors import ForeignSite, InvalidSettings
from service.settings import Settings

ANY = "*"
"""In GDSSM_ALLOWED_HOSTS: every name; in GDSSM_CORS_ORIGINS: every origin."""
PORT_DIGITS_LIMIT = 5


class Sites:
    """The checks, by settings.

    Args:
        settings: `host`, `auth`, `allowed_hosts` and `cors_origins`.

    Raises:
        InvalidSettings: The pages of every origin may call, and keys are off.
    """

    def __init__(self, settings: Settings) -> None:
        listed = (name.strip().lower() for name in settings.allowed_hosts.split(","))
        self.listed = frozenset(name_of(name.encode()) for name in listed if name)
        self.checks_pages = not keys_required(settings)
        """Whether requests of other sites' pages are refused."""
        self.checks_names = ANY not in self.listed and (self.checks_pages or bool(self.listed))
        """Whether requests to unknown names are refused."""
        self._origins = origins_of(settings)
        if self.checks_pages and ANY in self._origins:
            raise InvalidSettings(
                "GDSSM_CORS_ORIGINS: with * every web page could use this service, as keys are off. List the origins, "
                "or ask for keys (GDSSM_AUTH=on)."
            )
        self._bound = settings.host.lower()
        self._listens_everywhere = _is_unspecified(self._bound)

    def allows(self, host: bytes) -> bool:
        """Return whether the value of a header Host names the service; browsers always send it."""
        name = name_of(host)
        if not self.checks_names or not name or name in self.listed or name == self._bound:
            return True
        if name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        # A service that listens on every address accepts each; DNS rebinding needs a name, not an address.
        return address.is_loopback or self._listens_everywhere

    def check_page(self, method: str, headers: Mapping[bytes, bytes]) -> None:
        """Refuse requests of other sites' pages, except for following a link to a page of the service.

        Args:
            method: Of the request.
            headers: By lower-case name.

        Raises:
            ForeignSite: It is such a request.
        """
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1").lower() in self._origins:
            return
        if origin is not None and not self._is_own(origin, headers.get(b"host", b"")):
            raise ForeignSite(
                f"A web page of {origin.decode('latin-1')[:100]!r} may not use this service while keys are off. "
                "Call from the page of the service or from a program, list the origin in GDSSM_CORS_ORIGINS, "
                "or ask for keys (GDSSM_AUTH=on)."
            )
        if headers.get(b"sec-fetch-site") == b"cross-site" and not _follows_link(method, headers):
            raise ForeignSite(
                "A web page of another site (Sec-Fetch-Site: cross-site) may not use this service while keys are off. "
                "Call from the page of the service or from a program, or ask for keys (GDSSM_AUTH=on)."
            )

    def _is_own(self, origin: bytes, host: bytes) -> bool:
        """Return whether the site of a page, with its port, is the service."""
        scheme, _, authority = origin.lower().partition(b"://")
        if scheme not in {b"http", b"https"} or not authority:
            return False  # such as "null", which sandboxed pages and files send
        return authority == host.lower() or name_of(authority) in self.listed


def origins_of(settings: Settings) -> frozenset[str]:
    """Return the origins of GDSSM_CORS_ORIGINS, in lower case."""
    listed = (origin.strip().lower() for origin in settings.cors_origins.split(","))
    return frozenset(origin for origin in listed if origin)


def name_of(host: bytes) -> str:
    """Remove the port from the value of a header Host, and the brackets from an IPv6 address."""
    text = host.decode("latin-1").strip().lower()
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        return address if not port or (port[0] == ":" and port[1:].isdecimal()) else text
    name, colon, port = text.rpartition(":")
    if colon and ":" not in name and port.isdecimal() and len(port) <= PORT_DIGITS_LIMIT:
        text = name
    return text.removesuffix(".")


def unknown_host(host: bytes) -> ForeignSite:
    """Make the error for an unknown name of the service."""
    return ForeignSite(
        f"This service is not addressed as {host.decode('latin-1')[:100]!r} (Host). Call it by localhost or by the "
        "address that it listens on, or list the name in GDSSM_ALLOWED_HOSTS."
    )


def _follows_link(method: str, headers: Mapping[bytes, bytes]) -> bool:
    """Return whether the user follows a link, which opens a page and changes nothing."""
    navigates = headers.get(b"sec-fetch-mode") == b"navigate" and headers.get(b"sec-fetch-dest") == b"document"
    return navigates and method in {"GET", "HEAD"}


def _is_unspecified(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
