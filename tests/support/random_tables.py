"""Signatures and cells drawn by hypothesis, and their encoding by the codec."""

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

import numpy as np
from hypothesis import strategies as st

from functions.batch.formats.slices import EncodedSlice
from sklambda.arrays import FloatMatrix
from sklambda.codec.codec import Codec
from sklambda.errors import RowsInvalid
from sklambda.signature import Analyzer, Feature, Kind, Signature, Target, TermCounts

NAMES = [
    "tenure",
    'a"; drop table records; --',
    "it's {odd}",
    "Größe, €",
    "zwei\nZeilen",
    "#",
    "select",
    " padded ",
    "f0",
    "category_0",
]
CATEGORIES = ["yes", "no", "NA", "None", "", "it's", 'say "x"', "ü", "a,b", "l\nm", "1", "Yes", " "]
WORDS = st.sampled_from([*CATEGORIES, "nan", "null", "n/a", "-nan", "other", "\ufeff", "a;b\r\nc"])
NUMBERS = st.one_of(
    st.floats().map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.integers(-3, 3).map(str),
    st.sampled_from(["1_000", "+-1", "-+1", "+5", "-0", "-0.0", "1.", ".5", "1,5", "0x10", "1d"]),
    st.sampled_from(["1e5", "1e+5", "1e400", "-1e400", "inf", "NAN", "true", "\u0661"]),
    st.sampled_from([str(2**53 - 1), str(2**53), str(2**53 + 1), f"{2**53 + 1}.0", "1" * 400]),
    st.sampled_from([" 1 ", "\t2", "3\n", "1\u00a0", " ", "1 2"]),
    st.text("0123456789+-.eE _ nai", max_size=6),
)
MOMENTS = st.sampled_from(
    [
        *("2026-11-22", "2026-11-22T10:00", "2026-11-22T10:00:00.123456789", "9999-12-31"),
        *("2026-11-22T10:00:00Z", "2026-02-30", "now", "0001-01-01"),
    ]
)
BOOLEANS = st.sampled_from(["true", "false", "True", "FALSE", "1", "0", "yes", "2", "1.0", "TRUE"])
CELLS: dict[Kind, st.SearchStrategy[str]] = {
    "number": NUMBERS,
    "integer": NUMBERS,
    "boolean": BOOLEANS,
    "category": WORDS,
    "text": WORDS,
    "datetime": MOMENTS,
}
TARGET = Target(task="binary", classes=("a", "b"))
_ANALYZER = Analyzer(
    analyzer="word", ngram_range=(1, 1), lowercase=True, token_pattern=r"(?u)\b\w+\b"
)


@st.composite
def features(draw: st.DrawFn, name: str) -> Feature:
    """Draw a feature of any kind."""
    kind: Kind = draw(st.sampled_from([*CELLS]))
    more: dict[str, Any] = {}
    if kind == "category":
        known = draw(st.lists(st.sampled_from(CATEGORIES), unique=True))
        more = {"vocabulary": tuple(known), "accepts_unseen": draw(st.booleans())}
    if kind in ("number", "integer"):
        more = draw(
            st.sampled_from([{}, {}, {"least": -2.0}, {"greatest": 2.0}, {"choices": (0.0, 1.0)}])
        )
    if kind == "datetime":
        more = {"unit": draw(st.sampled_from(["s", "ns"]))}
    return Feature(name=name, kind=kind, nullable=draw(st.booleans()), **more)


@st.composite
def signatures(draw: st.DrawFn) -> Signature:
    """Draw a signature of a few features with odd names."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    drawn = tuple(draw(features(name)) for name in names)
    counts = tuple(
        TermCounts(feature=feature.name, analyzer=_ANALYZER, terms=("yes", "x", "ü"))
        for feature in drawn
        if feature.kind == "text"
    )
    return Signature(features=drawn, target=TARGET, row_id="row id", counts=counts)


type FaultTuple = tuple[int, str | None, str, str]


def expected(
    signature: Signature, rows: Sequence[Mapping[str, object]]
) -> tuple[FloatMatrix, list[FaultTuple]]:
    """Encode rows one by one with the codec; NaN where a row has faults."""
    codec, faults = Codec(signature), list[FaultTuple]()
    X = np.full((len(rows), signature.width), nan)
    for place, row in enumerate(rows):
        try:
            X[place] = codec.encode([row])[0]
        except RowsInvalid as invalid:
            faults += [(place, fault.feature, fault.code, fault.detail) for fault in invalid.faults]
    return X, faults


def faults_of(encoded: EncodedSlice) -> list[FaultTuple]:
    """Return the faults of an encoded slice."""
    return [(one.place, one.column, one.code, one.detail) for one in encoded.rejects]


def assert_same_rows(encoded: EncodedSlice, X: FloatMatrix) -> None:
    """Compare the rows that were not rejected, bit for bit."""
    rejected = {reject.place for reject in encoded.rejects}
    good = [row for row, place in enumerate(encoded.places.tolist()) if place not in rejected]
    places = encoded.places[good]
    assert encoded.X.dtype == np.float64
    assert encoded.X[good].tobytes() == (X[places]).tobytes()
