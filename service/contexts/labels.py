"""Names and labels of contexts, which their owners choose: the rules for them."""

import json
import re
from collections.abc import Iterator, Mapping

from service.errors import InvalidInput, Problem
from service.numbers import describe

NAME_LENGTH_LIMIT = 200
LABEL_KEY_LENGTH_LIMIT = 63
LABEL_VALUE_LENGTH_LIMIT = 200
"""Characters."""
LABELS_LIMIT = 16
"""Labels of one context, and of one filter."""
REFUSED = r"\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffd"
"""Control characters, line ends, and the sign that replaces bytes that are not UTF-8."""
CHARACTER = rf"[^{REFUSED}\ud800-\udfff]"
"""No half of a surrogate pair either."""
NAME = re.compile(f"{CHARACTER}{{1,{NAME_LENGTH_LIMIT}}}")
KEY = re.compile(rf"[^{REFUSED}\ud800-\udfff:]{{1,{LABEL_KEY_LENGTH_LIMIT}}}")
VALUE = re.compile(f"{CHARACTER}{{1,{LABEL_VALUE_LENGTH_LIMIT}}}")
UNADDRESSABLE = {".", ".."}
"""Names that clients remove from an address."""
Labels = Mapping[str, str]


def read_name(value: object, field: str) -> str:
    """Check the name of a context.

    Raises:
        InvalidInput: It is not a text of 1 to 200 characters, has control characters, or is a step in a path.
    """
    if not isinstance(value, str) or not NAME.fullmatch(value) or value in UNADDRESSABLE:
        rule = f"must be 1 to {NAME_LENGTH_LIMIT} characters without control characters, and neither . nor .."
        raise InvalidInput(Problem(field, f"{rule}; this is {describe(value)}."))
    return value


def read_labels(value: object, field: str) -> Labels:
    """Check the labels of a context.

    Raises:
        InvalidInput: They are not at most 16 texts by texts, or a key has a colon, or one is empty or too long.
    """
    if not isinstance(value, Mapping) or len(value) > LABELS_LIMIT:
        found = f"these are {len(value)}" if isinstance(value, Mapping) else f"this is {describe(value)}"
        raise InvalidInput(Problem(field, f"must be at most {LABELS_LIMIT} texts by their keys; {found}."))
    problems = [problem for key, text in value.items() for problem in _problems(key, text, field)]
    if problems:
        raise InvalidInput(*problems)
    return dict(value)


def read_filter(value: object, field: str) -> tuple[str, str]:
    """Read `key:value`; the value may have further colons.

    Raises:
        InvalidInput: It is not of this form.
    """
    key, colon, text = value.partition(":") if isinstance(value, str) else ("", "", "")
    if not colon or [*_problems(key, text, field)]:
        raise InvalidInput(Problem(field, f"must be key:value, such as site:berlin; this is {describe(value)}."))
    return key, text


def labels_as_json(labels: Labels) -> str | None:
    """Write labels for their column; None without labels."""
    return json.dumps(dict(labels), ensure_ascii=False, sort_keys=True) if labels else None


def labels_from(text: str | None) -> dict[str, str]:
    """Parse the result of `labels_as_json`."""
    return {} if text is None else dict(json.loads(text))


def _problems(key: object, value: object, field: str) -> Iterator[Problem]:
    if not isinstance(key, str) or not KEY.fullmatch(key):
        text = f"must be 1 to {LABEL_KEY_LENGTH_LIMIT} characters without colons and control characters"
        yield Problem(field, f"has a key that is not allowed: a key {text}; this is {describe(key)}.")
    if not isinstance(value, str) or not VALUE.fullmatch(value):
        text = f"must be a text of 1 to {LABEL_VALUE_LENGTH_LIMIT} characters without control characters"
        yield Problem(f"{field}.{str(key)[:60]}", f"{text}; this is {describe(value)}.")
