"""The metrics of a job: one line of CloudWatch's embedded metric format."""

from collections.abc import Callable
from time import time
from typing import Final

from pydantic_core import to_json

from sklambda.row_warnings import RowWarningCode
from sklambda.storage.receipt import Receipt
from sklambda.telemetry import Write

_UNITS: Final = {
    "jobs_scored": "Count",
    "jobs_failed": "Count",
    "rows_scored": "Count",
    "rows_rejected": "Count",
    "batch_seconds": "Seconds",
    **{f"batch_warning_{code}": "Count" for code in RowWarningCode},
}


def writer(namespace: str, write: Write) -> Callable[[Receipt], None]:
    """Return the function that writes the metrics of a receipt."""
    return lambda receipt: write(to_json(_line(namespace, receipt)))


def _line(namespace: str, receipt: Receipt) -> dict[str, object]:
    rows = receipt.rows
    warnings = dict.fromkeys(RowWarningCode, 0)
    for warned in receipt.warnings or ():
        warnings[RowWarningCode(warned.code)] += warned.rows
    units = [{"Name": name, "Unit": unit} for name, unit in _UNITS.items()]
    directive = {"Namespace": namespace, "Dimensions": [["model"], []], "Metrics": units}
    return {
        "_aws": {"Timestamp": int(time() * 1000), "CloudWatchMetrics": [directive]},
        "kind": "batch",
        "model": receipt.model.name,
        "model_id": receipt.model.id,
        "job": receipt.job,
        "reason": receipt.reason.code if receipt.reason else None,
        "jobs_scored": int(receipt.status == "scored"),
        "jobs_failed": int(receipt.status == "failed"),
        "rows_scored": rows.scored if rows else 0,
        "rows_rejected": rows.rejected if rows else 0,
        "batch_seconds": receipt.seconds,
        **{f"batch_warning_{code}": number for code, number in warnings.items()},
    }
