"""Print the fields of kserve's models and their types; for an interpreter without this project's packages."""

import json
import sys

from kserve import models

NAMES = [
    "V1beta1InferenceService",
    "V1beta1InferenceServiceSpec",
    "V1beta1PredictorSpec",
    "V1beta1ComponentExtensionSpec",
]

found = {}
for name in NAMES:
    model = getattr(models, name)
    found[name] = {model.attribute_map[field]: kind for field, kind in model.openapi_types.items()}
json.dump(found, sys.stdout)
