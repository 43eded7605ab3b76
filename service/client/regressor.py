"""The regressor, where estimators pickled by version 0.1 look for it."""

from gdssm_client.sklearn.regressor import GDSSMRegressor

__all__ = ["GDSSMRegressor"]
