"""Writes the pipeline as an MLflow model: ``python mlflow_save.py MODEL``."""

import os
import sys

import joblib
import mlflow.sklearn

pipeline = joblib.load(os.environ["PIPELINE"])
mlflow.sklearn.save_model(
    pipeline,
    sys.argv[1],
    serialization_format="cloudpickle",
    pyfunc_predict_fn="predict_proba",
    pip_requirements=[],
)
