"""A table of 20 columns of mixed types, and models that were fitted on such a table."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector as columns_of
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

ROW_ID: Final = "customer"
_NUMBERS, _INTEGERS, _CATEGORIES = 8, 4, 7
_MISSING: Final = 0.01


def generate(rows: int, seed: int) -> pd.DataFrame:
    """Draw rows: an id, numbers of which some are missing, whole numbers, and categories."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {ROW_ID: [f"C{place:09d}" for place in range(rows)]}
    for place in range(_NUMBERS):
        values = rng.lognormal(3, 1, rows)
        values = values.round(2) if place % 2 else values
        missing = rng.random(rows) < (_MISSING if place < _NUMBERS // 2 else 0)
        columns[f"amount_{place}"] = np.where(missing, np.nan, values)
    for place in range(_INTEGERS):
        columns[f"count_{place}"] = rng.poisson(5 * 4**place, rows)
    for place in range(_CATEGORIES):
        letters = "ABCDEFGHIJKLMNOP"[: 2 + 2 * place]
        names = np.array([f"kind {place} {letter}" for letter in letters])
        columns[f"kind_{place}"] = names[rng.integers(0, len(names), rows)]
    return pd.DataFrame(columns)


def target(table: pd.DataFrame) -> pd.Series:
    """Return the outcome of each row."""
    rng = np.random.default_rng(0)
    signal = np.log(table["amount_1"] * table["amount_7"]) - table["count_0"] / 2
    signal += (table["kind_3"] == "kind 3 B") + rng.normal(size=len(table))
    return pd.Series(np.where(signal > signal.median(), "yes", "no"), dtype=object)


def fit(model: str, table: pd.DataFrame) -> Any:
    """Fit a pipeline."""
    features = table.drop(columns=ROW_ID)
    return _MODELS[model]().fit(features, target(table))


def _linear() -> Any:
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    categories = OneHotEncoder(handle_unknown="ignore")
    return make_pipeline(_prepared(numbers, categories), LogisticRegression(max_iter=500))


def _boosted() -> Any:
    categories = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return make_pipeline(
        _prepared("passthrough", categories), HistGradientBoostingClassifier(random_state=0)
    )


def _prepared(numbers: Any, categories: Any) -> Any:
    return make_column_transformer(
        (numbers, columns_of(dtype_include="number")),
        (categories, columns_of(dtype_exclude="number")),
    )


_MODELS: Final = {"logistic regression": _linear, "HGB": _boosted}
MODELS: Final = tuple(_MODELS)


def write_csv(path: Path, rows: int, times: int = 1) -> int:
    """Write `rows` different rows so many times; return the length in bytes."""
    with path.open("wb") as file:
        table = generate(rows, seed=1).to_csv(index=False, lineterminator="\n").encode()
        file.write(table)
        body = table[table.index(b"\n") + 1 :]
        for _ in range(times - 1):
            file.write(body)
    return path.stat().st_size
