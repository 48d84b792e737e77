"""A set-up: a pipeline as people write it, fitted on a table, and rows that it has not seen."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from sklearn.compose import make_column_selector as columns_of
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.benchmark.setups.tables import Table


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted pipeline with its rows.

    Attributes
    ----------
    pipeline : estimator
        Fitted.
    learnt, held_out : DataFrame or Series
        The rows that it was fitted on, and others.
    """

    pipeline: Any
    learnt: Any
    held_out: Any


type Fit = Callable[[], Fitted]

SETUPS: Final[dict[str, Fit]] = {}
"""All set-ups by title, in the order of the table."""


def setup(title: str) -> Callable[[Fit], Fit]:
    """Add a function that fits a pipeline to the set-ups."""

    def add(fit: Fit) -> Fit:
        assert title not in SETUPS, f"two set-ups are called {title!r}"
        SETUPS[title] = fit
        return fit

    return add


def fitted(pipeline: Any, table: Table) -> Fitted:
    """Fit a pipeline on the learnt rows of a table."""
    rows, target = table.learnt
    return Fitted(pipeline.fit(rows, target), rows, table.held_out)


def fitted_on_texts(pipeline: Any, table: Table) -> Fitted:
    """Fit a pipeline on the texts of a table alone."""
    rows, target = table.learnt
    texts: pd.Series[Any] = rows["text"]
    return Fitted(pipeline.fit(texts, target), texts, table.held_out["text"])


NUMBERS: Final = columns_of(dtype_include="number")
TEXTS: Final = columns_of(dtype_include=["object", "str"])


def prepared(numbers: Any = None, categories: Any = None, **options: Any) -> Any:
    """Return the usual preparation: numbers imputed and scaled, categories one-hot."""
    if numbers is None:
        numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    if categories is None:
        categories = OneHotEncoder(handle_unknown="ignore")
    return make_column_transformer((numbers, NUMBERS), (categories, TEXTS), **options)
