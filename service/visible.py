"""Text from outside, written so that it can only be read: on one line, and without effect on a terminal."""

import re

UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that end a line, move the cursor of a terminal, change the direction of text, or are none."""


def visible(text: str) -> str:
    r"""Write control characters as escape sequences of Python: `\n`, `\x1b`."""
    return UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
