"""Estimators for scikit-learn: `from gdssm_client.sklearn import GDSSMRegressor`.

estimator, regressor, classifier   a state of constant size that fit and partial_fit update
engine          the model of an estimator, in this process or on a service
local_models    the models of this process, if the service is installed
encoded_frames  rows of frames as columns of x, by a schema
"""

try:
    from gdssm_client.sklearn.classifier import GDSSMClassifier
    from gdssm_client.sklearn.regressor import GDSSMRegressor
except ModuleNotFoundError as error:
    package = "scikit-learn" if error.name == "sklearn" else error.name
    text = f"The estimators need {package}. In a checkout of gdssm: pip install './clients/python[sklearn]'"
    raise ModuleNotFoundError(text, name=error.name) from error

__all__ = ["GDSSMClassifier", "GDSSMRegressor"]
