"""The pipeline as a BentoML service; `bentoml serve` runs it."""

import os
from typing import Any

import bentoml
import joblib
import pandas as pd


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Churn:
    def __init__(self) -> None:
        self._pipeline = joblib.load(os.environ["PIPELINE"])

    @bentoml.api  # type: ignore[untyped-decorator]
    def predict(self, customers: list[dict[str, Any]]) -> list[list[float]]:
        answers: list[list[float]] = self._pipeline.predict_proba(pd.DataFrame(customers)).tolist()
        return answers
