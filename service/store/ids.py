"""Names of what is kept, for its owner to ask for it by."""

import secrets


def new_id(now: float) -> str:
    """Make a name that nobody guesses; names rise with time, so that a list in their order is in the order of making.

    Args:
        now: Seconds since 1970.
    """
    return f"{int(now * 1e6):014x}{secrets.token_hex(9)}"
