"""The classifier, where estimators pickled by version 0.1 look for it."""

from gdssm_client.sklearn.classifier import GDSSMClassifier

__all__ = ["GDSSMClassifier"]
