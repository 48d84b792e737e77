"""Asks a server with MLflow's own client; runs in .venv-clients: PORT, rows as CSV, a method."""

import json
import sys

import pandas as pd
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

port, path, method = sys.argv[1:]
client = ScoringServerClient("127.0.0.1", int(port))
client.wait_server_ready(timeout=30)
predictions = client.invoke(pd.read_csv(path), params={"method": method})
frame = predictions.get_predictions()
print(json.dumps([client.get_version(), frame.to_numpy().tolist()]))
