"""A table is what a transformer makes of each category, or it is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sklambda.session import Session
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.scope import Scope
from training.convert.graph.tables import Encoder, tabulated
from training.convert.graph.vocabulary import Vocabulary
from training.errors import ConversionRefused

type Transform = Callable[[pd.DataFrame], Any]

LEVELS = ("a", "b", "c")


def converted(transform: Transform, made: list[str]) -> tuple[Graph, Matrix]:
    """Tabulate a transform of two columns: "kind", of categories, and "size", of numbers."""
    graph, vocabularies = Graph(2), (Vocabulary(LEVELS), None)
    dtypes = [np.dtype(object), np.dtype(np.float64)]
    encoder = Encoder(
        "Transform", transform, ["kind", "size"], dtypes, vocabularies, {0: ["a", "b"]}, made
    )
    matrix = Matrix("X", vocabularies)
    return graph, tabulated(encoder, matrix, Scope(graph, {}))


def by_table(frame: pd.DataFrame) -> pd.DataFrame:
    table = {"a": 1.5, "b": -2.0}
    return frame.assign(kind=frame["kind"].map(table).fillna(7.0), known=frame["kind"].notna() * 1)


def test_the_table_is_what_the_transform_makes() -> None:
    graph, matrix = converted(by_table, ["kind", "size", "known"])
    session = Session(graph.build(2, matrix))
    rows = [[0.0, 3.0], [1.0, np.nan], [2.0, -1.0], [-1.0, 0.0], [np.nan, 1e300]]

    found = session.run(np.array(rows))

    expected = [[1.5, 3, 1], [-2, np.nan, 1], [7, -1, 1], [7, 0, 1], [7, 1e300, 0]]
    np.testing.assert_array_equal(found, expected)


def together(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(kind=(frame["kind"] == "a") * frame["size"])


def of_all_rows(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(kind=(frame["kind"] == "a") / len(frame))


def by_length(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(kind=frame["kind"].str.len())


def scaled(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(kind=1.0, size=2 * frame["size"])


def strict(frame: pd.DataFrame) -> pd.DataFrame:
    raise ValueError("refuses all rows")


REFUSED: dict[str, tuple[Transform, str]] = {
    "two columns": (together, "Transform makes 'kind' of other columns or rows too: encode each"),
    "other rows": (of_all_rows, "Transform makes 'kind' of other columns or rows too: encode each"),
    "the spelling": (by_length, "encodes unseen categories of 'kind' by how they are written: use"),
    "numbers": (scaled, "Transform makes 'size' of other columns or rows too"),
    "no row": (strict, "does not make the columns that it names"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_is_refused(name: str) -> None:
    transform, reason = REFUSED[name]

    with pytest.raises(ConversionRefused, match=reason):
        converted(transform, ["kind", "size"])


def test_strings_become_codes_of_the_same_column() -> None:
    def grouped(frame: pd.DataFrame) -> pd.DataFrame:
        kept = frame["kind"].isin(["a", "b"]) | frame["kind"].isna()
        return frame[["kind"]].where(kept, "rare")

    graph, matrix = converted(grouped, ["kind"])

    found = Session(graph.build(2, matrix)).run(np.array([[0.0, 0], [2, 0], [-1, 0], [np.nan, 0]]))

    assert matrix.vocabularies[0] is not None
    assert matrix.vocabularies[0].categories == (*LEVELS, "rare")
    np.testing.assert_array_equal(found, [[0], [3], [3], [np.nan]])
