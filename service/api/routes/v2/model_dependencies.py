"""The model that an address names, as a FastAPI dependency."""

from typing import Annotated

from fastapi import Depends

from service.api.request import PredictorDep
from service.inference.runtime import Runtime


async def _newest(name: str, predictor: PredictorDep) -> Runtime:
    return predictor.repository.get(name)


async def _version(name: str, version: str, predictor: PredictorDep) -> Runtime:
    return predictor.repository.get(name, version)


NewestModelDep = Annotated[Runtime, Depends(_newest)]
"""The highest version in service."""
VersionedModelDep = Annotated[Runtime, Depends(_version)]
"""The version in the path."""
