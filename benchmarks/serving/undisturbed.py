"""The service without its looks at models, keys and queues; for counting instructions.

They come twice a second and are next to nothing on a processor, but where a second is thirty times as short they are
half of all instructions.
"""

from service import app
from service.access import keyring
from service.cli import main
from service.evaluations import jobs

HOUR = 3600.0

if __name__ == "__main__":
    app.LOOK = app.SWEEP = jobs.PULSE = keyring.FRESH_FOR = HOUR
    main()
