"""The pipeline as a LitServe API: ``python litserve_app.py PORT``."""

import os
import sys
from typing import Any

import joblib
import litserve
import pandas as pd


class Churn(litserve.LitAPI):  # type: ignore[misc]
    def setup(self, device: str) -> None:
        self._pipeline = joblib.load(os.environ["PIPELINE"])

    def decode_request(self, request: dict[str, Any]) -> pd.DataFrame:
        return pd.DataFrame([request])

    def predict(self, frame: pd.DataFrame) -> list[list[float]]:
        answers: list[list[float]] = self._pipeline.predict_proba(frame).tolist()
        return answers

    def encode_response(self, answers: list[list[float]]) -> dict[str, list[float]]:
        return {"probabilities": answers[0]}


if __name__ == "__main__":
    server = litserve.LitServer(Churn(), accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
    )
