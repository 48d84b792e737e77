"""Rows as a client sends them, and the probabilities in the response of POST /predict."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def instances(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as JSON objects; a missing value is null."""
    objects = frame.astype(object)
    return [
        {str(name): value for name, value in row.items()}
        for row in objects.where(objects.notna(), None).to_dict("records")
    ]


def probabilities(body: dict[str, Any], classes: Iterable[object]) -> NDArray[np.float64]:
    """Return the probabilities in the order of the classes: [N, C] float64."""
    names = [str(name) for name in classes]
    rows = [prediction["probabilities"] for prediction in body["predictions"]]
    return np.array([[row[name] for name in names] for row in rows], dtype=np.float64)
