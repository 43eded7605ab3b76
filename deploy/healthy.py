"""The health check of the container: exit code 0 if the service is ready. Python, because the image has no curl."""

import os
import sys
from http.client import HTTPConnection, HTTPException


def ready(port: int) -> bool:
    """Ask the service on this machine whether it is ready."""
    connection = HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if ready(int(os.environ["GDSSM_PORT"])) else 1)
