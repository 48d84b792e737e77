"""The shapes of a table that ``/invocations`` accepts, and a service to send them to."""

from io import StringIO
from typing import Any, Final

from starlette.testclient import TestClient

from functions.predict.app.api import create_app
from functions.predict.http.exchange import Limits
from functions.predict.model import ServedModel
from functions.predict.registry import Registry
from functions.predict.service import Listener, Service
from sklambda.predictor import Predictor
from sklambda.telemetry import Log

CSV: Final = {"content-type": "text/csv"}
LINES: Final = {"content-type": "application/jsonlines"}
PROBABILITIES: Final = {"x-amzn-sagemaker-custom-attributes": "trace=7;method=predict_proba"}


def client_of(predictor: Predictor, *listeners: Listener) -> TestClient:
    """Serve a predictor: 50 rows or 200,000 bytes at most."""
    lines = Log(f"invocations {id(predictor)}", "INFO", StringIO())
    service = Service(ServedModel(predictor), listeners)
    return TestClient(create_app(Registry(service), Limits(rows=50, bytes=200_000), lines))


def shapes(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Write rows in each shape of JSON."""
    names, lists = list(rows[0]), [list(row.values()) for row in rows]
    return {
        "split": {"dataframe_split": {"columns": names, "data": lists, "index": [1, 2]}},
        "split backwards": {
            "dataframe_split": {"columns": names[::-1], "data": [row[::-1] for row in lists]}
        },
        "split without columns": {"dataframe_split": {"data": lists}},
        "records": {"dataframe_records": rows},
        "instances": {"instances": rows},
        "instances as lists": {"instances": lists},
        "instances as vectors": {"instances": [{"features": row} for row in lists]},
        "inputs as rows": {"inputs": rows},
        "inputs as lists": {"inputs": lists},
        "inputs as columns": {"inputs": {name: [row[name] for row in rows] for name in names}},
    }


SHAPES: Final = list(shapes([{}]))
"""The names of the shapes."""
