"""`python -m benchmarks`: every measurement, one after the other and each in a process of its own; then the summary."""

import subprocess
import sys
import time

from benchmarks import summary
from benchmarks.results import parse_out

WITHOUT_GOALS = ("accuracy", "drift")
"""Leave results, of which no goals are shown."""


def main() -> None:
    """Run them all; one that fails leaves no older result and is told of at the end, after the others."""
    out = parse_out(__doc__)
    failed = []
    for name in (*summary.TOPICS, *WITHOUT_GOALS):
        (out / f"{name}.md").unlink(missing_ok=True)
        start = time.monotonic()
        ended = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", "--out", str(out)], check=False)  # noqa: S603
        print(f"{name}: {time.monotonic() - start:.0f} s\n", flush=True)
        if ended.returncode:
            failed.append(name)
    summary.show(out)
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
