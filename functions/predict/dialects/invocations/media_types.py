"""The media types of tables: their names in requests and responses."""

from typing import Final

from functions.predict.http.response import JSON, JSON_LINES

CSV: Final = "text/csv"
NPY: Final = "application/x-npy"

FORMATS: Final[dict[str, str]] = {
    JSON: JSON,
    CSV: CSV,
    JSON_LINES: JSON_LINES,
    NPY: NPY,
    "application/csv": CSV,
    "application/jsonl": JSON_LINES,
    "application/ndjson": JSON_LINES,
    "application/x-jsonlines": JSON_LINES,
    "application/x-ndjson": JSON_LINES,
}
"""The format of each media type; the first of a format is its usual name."""

USUAL: Final = (JSON, CSV, JSON_LINES, NPY)
"""The media types that a description lists."""
