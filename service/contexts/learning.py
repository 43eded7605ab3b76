"""The former place of `service.states.learning.Learned`, as which estimators that earlier versions pickled name it."""

from service.states.learning import Learned as Kept

__all__ = ["Kept"]
