"""The worker process of one evaluation.

`python -m service.evaluations.worker` reads a `JobSpec` as JSON from stdin and writes each result as a line of JSON to
stdout, without delay.
"""

import os
import sys

from gdssm.evaluation.evaluate import Candidate, evaluate
from service.evaluations.models import candidate
from service.evaluations.process import JobSpec
from service.evaluations.result import view
from service.inference.runtime import Runtime
from service.inference.tensor_inference import unlimited
from service.registry.repository import Repository

NICE_LEVEL = 10
"""Added to the nice level of the process, so that predictions come first."""


def main() -> None:
    """Run one job, with a lower priority than predictions on the same machine."""
    os.nice(NICE_LEVEL)
    spec = JobSpec.model_validate_json(sys.stdin.buffer.read())
    repository = Repository.load(spec.directories, threads=1)
    candidates = {name: enter(repository.get(name, version)) for name, version in spec.versions.items()}
    request = spec.request
    for result in evaluate(request.plan(), request.distributions(), candidates):
        sys.stdout.write(view(result).model_dump_json() + "\n")
        sys.stdout.flush()


def enter(runtime: Runtime) -> Candidate:
    """Make the candidate of a model in this process."""
    return candidate(unlimited(runtime), runtime.manifest)


if __name__ == "__main__":
    main()
