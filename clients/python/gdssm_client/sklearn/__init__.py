"""Estimators for scikit-learn: `from gdssm_client.sklearn import GDSSMRegressor`.

estimator, regressor, classifier   a state of constant size that fit and partial_fit update
engine          the model of an estimator, in this process or on a service
encoded_frames  rows of frames as columns of x, by a schema
"""

from gdssm_client.sklearn.classifier import GDSSMClassifier
from gdssm_client.sklearn.regressor import GDSSMRegressor

__all__ = ["GDSSMClassifier", "GDSSMRegressor"]
