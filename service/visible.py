"""Escapes control characters in untrusted text, so that it stays on one line and does not control a terminal."""

import re

CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that end a line, control a terminal or change the direction of text, and surrogates."""


def visible(text: str) -> str:
    r"""Replace control characters by Python's escape sequences: `\n`, `\x1b`."""
    return CONTROL_CHARACTERS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
