"""Estimators for scikit-learn: `from gdssm_client.sklearn import GDSSMRegressor`.

estimator, regressor, classifier   a state of constant size that fit and partial_fit update
engine          the model of an estimator, in this process or on a service
encoded_frames  rows of frames as columns of x, by a schema
"""

try:
    from gdssm_client.sklearn.classifier import GDSSMClassifier
    from gdssm_client.sklearn.regressor import GDSSMRegressor
except ModuleNotFoundError as error:
    text = f"The estimators need {error.name}. In a checkout of gdssm: pip install '.[client,sklearn]'"
    raise ModuleNotFoundError(text, name=error.name) from error

__all__ = ["GDSSMClassifier", "GDSSMRegressor"]
