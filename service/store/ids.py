"""Ids of rows."""

import secrets


def new_id(now: float, last: str = "") -> str:
    """Make a random id; ids rise with time, so that their order is the order of creation.

    Args:
        now: Seconds since 1970.
        last: The last digit of the id; a random one if left out.
    """
    return (f"{int(now * 1e6):014x}{secrets.token_hex(9)}")[: 32 - len(last)] + last
