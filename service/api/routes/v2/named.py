"""Which model an address names."""

from typing import Annotated

from fastapi import Depends

from service.api.dependencies import PredictorDep
from service.inference.runtime import Runtime


async def _newest(name: str, predictor: PredictorDep) -> Runtime:
    return predictor.repository.get(name)


async def _version(name: str, version: str, predictor: PredictorDep) -> Runtime:
    return predictor.repository.get(name, version)


Newest = Annotated[Runtime, Depends(_newest)]
"""The highest version that is served."""
Version = Annotated[Runtime, Depends(_version)]
"""One version."""
