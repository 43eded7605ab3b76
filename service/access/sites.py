"""Under which names the service may be addressed, and which web pages may ask it.

Without keys a browser is enough to act: every page that its user visits may send requests to 127.0.0.1, and a name that
its owner points at 127.0.0.1 (DNS rebinding) even lets that page read the answers. So while keys are off the header
Host must be a name of the service, and Origin and Sec-Fetch-Site must not name another site. A key protects by itself:
no browser adds it to a request of a foreign page.
"""

import ipaddress
from collections.abc import Mapping

from service.access.keyring import keys_required
from service.errors import ForeignSite
from service.settings import Settings

ANY = "*"
"""In GDSSM_ALLOWED_HOSTS: every name."""
LARGEST_PORT_DIGITS = 5


class Sites:
    """Checks the names of sites in the headers of requests.

    Args:
        settings: `host`, `auth` and `allowed_hosts`.
    """

    def __init__(self, settings: Settings) -> None:
        listed = (name.strip().lower() for name in settings.allowed_hosts.split(","))
        self.listed = frozenset(name_of(name.encode()) for name in listed if name)
        self.checks_pages = not keys_required(settings)
        """Whether requests of foreign pages are refused."""
        self.checks_names = ANY not in self.listed and (self.checks_pages or bool(self.listed))
        """Whether requests to unknown names are refused."""
        self._bound = settings.host.lower()
        self._listens_everywhere = _is_unspecified(self._bound)

    def allows(self, host: bytes) -> bool:
        """Tell whether the service may be addressed by the value of a header Host; browsers never leave it out."""
        name = name_of(host)
        if not self.checks_names or not name or name in self.listed or name == self._bound:
            return True
        if name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        # Where the service listens on every address, each is a bound one; no rebinding makes an address of a name.
        return address.is_loopback or self._listens_everywhere

    def check_page(self, method: str, headers: Mapping[bytes, bytes]) -> None:
        """See that no page of another site asks; following a link to a page of the service is allowed.

        Args:
            method: Of the request.
            headers: By lower-case name.

        Raises:
            ForeignSite: One does.
        """
        origin = headers.get(b"origin")
        if origin is not None and not self._is_own(origin, headers.get(b"host", b"")):
            raise ForeignSite(
                f"A web page of {origin.decode('latin-1')[:100]!r} may not use this service while keys are off. "
                "Call from the page of the service or from a program, list the site in GDSSM_ALLOWED_HOSTS, "
                "or ask for keys (GDSSM_AUTH=on)."
            )
        if headers.get(b"sec-fetch-site") == b"cross-site" and not _follows_link(method, headers):
            raise ForeignSite(
                "A web page of another site (Sec-Fetch-Site: cross-site) may not use this service while keys are off. "
                "Call from the page of the service or from a program, or ask for keys (GDSSM_AUTH=on)."
            )

    def _is_own(self, origin: bytes, host: bytes) -> bool:
        """Compare the site of a page, with its port, with the one that is addressed."""
        scheme, _, authority = origin.lower().partition(b"://")
        if scheme not in {b"http", b"https"} or not authority:
            return False  # as "null", which sandboxed pages and files send
        return authority == host.lower() or name_of(authority) in self.listed


def name_of(host: bytes) -> str:
    """Take the port off the value of a header Host, and the brackets off an IPv6 address."""
    text = host.decode("latin-1").strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    name, colon, port = text.rpartition(":")
    if colon and ":" not in name and port.isdecimal() and len(port) <= LARGEST_PORT_DIGITS:
        text = name
    return text.removesuffix(".")


def unknown_host(host: bytes) -> ForeignSite:
    """Say that the service may not be addressed like this."""
    return ForeignSite(
        f"This service is not addressed as {host.decode('latin-1')[:100]!r} (Host). Call it by localhost or by the "
        "address that it listens on, or list the name in GDSSM_ALLOWED_HOSTS."
    )


def _follows_link(method: str, headers: Mapping[bytes, bytes]) -> bool:
    """Tell whether a person follows a link, which shows a page and changes nothing."""
    navigates = headers.get(b"sec-fetch-mode") == b"navigate" and headers.get(b"sec-fetch-dest") == b"document"
    return navigates and method in {"GET", "HEAD"}


def _is_unspecified(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
