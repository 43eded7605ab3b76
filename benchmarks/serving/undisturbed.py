"""The service as it is at its natural speed; for counting instructions where it runs thirty times as slowly.

What it does twice a second, the looks at models, keys and queues and the sums for Prometheus, is next to nothing on a
processor, but up to half of all instructions there; `instructions` counts the sums by themselves. And what takes a
millisecond at most, and so needs no thread, seems to take thirty or more.
"""

from service import app
from service.access import keyring
from service.api import work
from service.cli import main
from service.evaluations import jobs

HOUR = 3600.0
SLOWER = 100
"""How many times at most, under callgrind and beside others."""

if __name__ == "__main__":
    app.LOOK = app.COUNT = app.SWEEP = jobs.HEARTBEAT_INTERVAL = keyring.FRESH_FOR = HOUR
    work.SHORT_SECONDS *= SLOWER
    main()
