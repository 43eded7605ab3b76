"""One evaluation in a process of its own, so that nobody else waits for it.

`python -m service.evaluations.worker` reads an `JobSpec` as JSON on stdin and writes one line of JSON for each
result, as soon as there is one.
"""

import os
import sys

from gdssm.evaluation.evaluate import Candidate, evaluate
from service.evaluations.models import candidate
from service.evaluations.process import JobSpec
from service.evaluations.result import view
from service.inference import unlimited
from service.registry.repository import Repository
from service.runtime import Runtime

NICE_LEVEL = 10
"""How far it stands back, as `nice` counts."""


def main() -> None:
    """Work one spec off, standing back behind whoever answers predictions on the same machine."""
    os.nice(NICE_LEVEL)
    spec = JobSpec.model_validate_json(sys.stdin.buffer.read())
    repository = Repository.load(spec.directories, threads=1)
    candidates = {name: enter(repository.get(name, version)) for name, version in spec.versions.items()}
    request = spec.request
    for result in evaluate(request.plan(), request.distributions(), candidates):
        sys.stdout.write(view(result).model_dump_json() + "\n")
        sys.stdout.flush()


def enter(runtime: Runtime) -> Candidate:
    """Enter a model that runs in this process."""
    return candidate(unlimited(runtime), runtime.manifest)


if __name__ == "__main__":
    main()
