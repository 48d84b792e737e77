"""Each kind of value has one answer: a float64, or a fault with a code."""

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklambda.arrays import FloatMatrix
from sklambda.codec.codec import EXACT_INTEGER, Codec
from sklambda.errors import DocumentInvalid, FaultCode, RowsInvalid
from sklambda.signature import UNSEEN, Analyzer, Feature, Signature, Target, TermCounts

FEATURES = (
    Feature(name="amount", kind="number", nullable=True),
    Feature(name="months", kind="integer", nullable=False),
    Feature(name="active", kind="boolean", nullable=True),
    Feature(
        name="plan",
        kind="category",
        nullable=True,
        accepts_unseen=True,
        vocabulary=("basic", "nan", ""),
    ),
    Feature(name="country", kind="category", nullable=False, vocabulary=("CH", "日本")),
)
ROW: dict[str, Any] = {
    "amount": 1.5,
    "months": 12,
    "active": True,
    "plan": "basic",
    "country": "CH",
}


@pytest.fixture(scope="module")
def codec() -> Codec:
    target = Target(task="binary", classes=("no", "yes"))
    return Codec(Signature(features=FEATURES, target=target, row_id="id"))


def faults(codec: Codec, *rows: Any) -> list[tuple[int, str | None, FaultCode]]:
    with pytest.raises(RowsInvalid) as raised:
        codec.encode(rows)
    return [(fault.row, fault.feature, fault.code) for fault in raised.value.faults]


def test_a_row_becomes_numbers_and_codes_in_the_order_of_the_features(codec: Codec) -> None:
    X = codec.encode([ROW])

    assert X.dtype == np.float64
    assert X.tolist() == [[1.5, 12.0, 1.0, 0.0, 0.0]]


def test_the_order_of_a_rows_members_does_not_matter(codec: Codec) -> None:
    backwards = dict(reversed(ROW.items()))

    assert codec.encode([backwards]).tolist() == codec.encode([ROW]).tolist()


def test_the_row_id_may_be_sent_along(codec: Codec) -> None:
    assert codec.encode([ROW | {"id": "7590"}]).tolist() == codec.encode([ROW]).tolist()


@pytest.mark.parametrize("missing", [None, math.nan, np.float32("nan"), pd.NA, pd.NaT])
@pytest.mark.parametrize("name", ["amount", "active", "plan"])
def test_missing_is_nan_where_the_pipeline_accepts_it(
    codec: Codec, name: str, missing: object
) -> None:
    X = codec.encode([ROW | {name: missing}])

    assert np.isnan(X[0, list(ROW).index(name)])


@pytest.mark.parametrize("name", ["months", "country"])
def test_missing_is_refused_where_the_pipeline_refuses_it(codec: Codec, name: str) -> None:
    assert faults(codec, ROW | {name: None}) == [(0, name, FaultCode.NULL)]


@pytest.mark.parametrize(
    ("value", "code"),
    [("basic", 0.0), ("nan", 1.0), ("", 2.0), ("None", UNSEEN), ("Basic", UNSEEN), ("é", UNSEEN)],
)
def test_a_category_is_known_to_the_letter_or_unseen(codec: Codec, value: str, code: float) -> None:
    assert codec.encode([ROW | {"plan": value}])[0, 3] == code


def test_an_unseen_category_is_refused_where_the_pipeline_refuses_it(codec: Codec) -> None:
    expected = [(0, "country", FaultCode.UNSEEN_CATEGORY)]

    assert faults(codec, ROW | {"country": "FR"}) == expected


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("amount", "1.5", FaultCode.TYPE),
        ("amount", "1,5", FaultCode.TYPE),
        ("amount", "12345678901234567890.5", FaultCode.TYPE),
        ("amount", Decimal("1.5"), FaultCode.TYPE),
        ("amount", Decimal("NaN"), FaultCode.TYPE),
        ("amount", Fraction(1, 2), FaultCode.TYPE),
        ("months", "12", FaultCode.TYPE),
        ("months", Decimal(12), FaultCode.TYPE),
        ("amount", True, FaultCode.TYPE),
        ("amount", [1.5], FaultCode.TYPE),
        ("amount", math.inf, FaultCode.NOT_FINITE),
        ("amount", -math.inf, FaultCode.NOT_FINITE),
        ("amount", EXACT_INTEGER + 1, FaultCode.TOO_LARGE),
        ("months", 1.5, FaultCode.NOT_INTEGRAL),
        ("months", 1e300, FaultCode.TOO_LARGE),
        ("months", -EXACT_INTEGER - 1, FaultCode.TOO_LARGE),
        ("months", True, FaultCode.TYPE),
        ("active", 1, FaultCode.TYPE),
        ("active", "true", FaultCode.TYPE),
        ("plan", 1, FaultCode.TYPE),
        ("plan", {}, FaultCode.TYPE),
    ],
)
def test_a_wrong_value_has_one_code(
    codec: Codec, name: str, value: object, code: FaultCode
) -> None:
    assert faults(codec, ROW | {name: value}) == [(0, name, code)]


def test_an_absent_feature_is_a_fault_though_null_is_not(codec: Codec) -> None:
    row = {name: value for name, value in ROW.items() if name != "amount"}

    assert faults(codec, row) == [(0, "amount", FaultCode.ABSENT)]


def test_a_misspelt_feature_is_told_its_neighbour(codec: Codec) -> None:
    with pytest.raises(RowsInvalid, match="did you mean 'amount'"):
        codec.encode([ROW | {"amuont": 1.0}])


@pytest.mark.parametrize("row", [None, 1, "amount", [1.5, 12]])
def test_a_row_that_is_no_object_is_one_fault(codec: Codec, row: object) -> None:
    assert faults(codec, ROW, row) == [(1, None, FaultCode.NOT_AN_OBJECT)]


def test_all_faults_of_all_rows_are_told_in_order(codec: Codec) -> None:
    found = faults(codec, ROW | {"plan": 1, "amount": "x"}, 3, ROW | {"more": 1, "months": 0.5})

    assert found == [
        (0, "amount", FaultCode.TYPE),
        (0, "plan", FaultCode.TYPE),
        (1, None, FaultCode.NOT_AN_OBJECT),
        (2, "months", FaultCode.NOT_INTEGRAL),
        (2, "more", FaultCode.UNKNOWN_FEATURE),
    ]


@given(st.sampled_from(list(ROW)), st.text() | st.floats() | st.integers() | st.binary())
def test_a_fault_never_repeats_the_value(codec: Codec, name: str, value: object) -> None:
    told = "secret-4711"
    row: dict[str, Any] = ROW | {name: (told, value)}

    with pytest.raises(RowsInvalid) as raised:
        codec.encode([row])

    assert told not in str(raised.value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_passes_bit_for_bit(codec: Codec, value: float) -> None:
    assert codec.encode([ROW | {"amount": value}])[0, 0].tobytes() == np.float64(value).tobytes()


@given(st.integers(-EXACT_INTEGER, EXACT_INTEGER))
def test_every_integer_that_float64_holds_passes(codec: Codec, value: int) -> None:
    assert int(codec.encode([ROW | {"months": value}])[0, 1]) == value


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(ROW, scalars)), min_size=1, max_size=5))
def test_any_json_is_encoded_or_refused_and_columns_agree_with_rows(
    codec: Codec, rows: list[dict[str, Any]]
) -> None:
    columns = {name: [row[name] for row in rows] for name in ROW}

    assert outcome(codec.encode, rows) == outcome(codec.encode_columns, columns)


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(ROW, scalars)) | st.just({}), max_size=5))
def test_the_accepted_rows_are_encoded_as_they_are_alone(
    codec: Codec, rows: list[dict[str, Any]]
) -> None:
    alone = [outcome(codec.encode, [row]) for row in rows]

    X, accepted = codec.encode_accepted(rows)

    assert accepted.tolist() == [isinstance(one, bytes) for one in alone]
    assert [x.tobytes() for x in X] == [one for one in alone if isinstance(one, bytes)]


def outcome(encode: Callable[[Any], FloatMatrix], given: object) -> object:
    try:
        return encode(given).tobytes()
    except RowsInvalid as invalid:
        return invalid.faults


def test_a_numeric_column_is_taken_whole(codec: Codec) -> None:
    amounts = np.array([1.5, np.nan, -0.0])
    columns = {name: [value] * 3 for name, value in ROW.items()} | {"amount": amounts}

    assert codec.encode_columns(columns)[:, 0].tobytes() == amounts.tobytes()


def test_an_infinite_number_in_a_whole_column_is_found(codec: Codec) -> None:
    columns = {name: [value] * 2 for name, value in ROW.items()}

    with pytest.raises(RowsInvalid) as raised:
        codec.encode_columns(columns | {"amount": np.array([1.0, np.inf])})

    assert [(fault.row, fault.code) for fault in raised.value.faults] == [(1, FaultCode.NOT_FINITE)]


def test_columns_of_different_length_are_refused(codec: Codec) -> None:
    columns = {name: [value] * 2 for name, value in ROW.items()} | {"plan": ["basic"]}

    with pytest.raises(ValueError, match="differ in length"):
        codec.encode_columns(columns)


def codec_of(feature: Feature, *counts: TermCounts) -> Codec:
    target = Target(task="binary", classes=(0, 1))
    return Codec(Signature(features=(feature,), target=target, counts=counts))


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1e30, FaultCode.TOO_LARGE),
        (np.nextafter(1e15, np.inf), FaultCode.TOO_LARGE),
        (-1e30, FaultCode.TOO_SMALL),
        (np.nextafter(-2.5, -np.inf), FaultCode.TOO_SMALL),
    ],
)
def test_a_number_past_what_the_pipeline_accepts_is_refused(value: float, code: FaultCode) -> None:
    codec = codec_of(
        Feature(name="amount", kind="number", nullable=False, least=-2.5, greatest=1e15)
    )

    assert faults(codec, {"amount": value}) == [(0, "amount", code)]
    assert codec.encode([{"amount": 1e15}, {"amount": -2.5}]).tolist() == [[1e15], [-2.5]]


@pytest.mark.parametrize("bound", ["least", "greatest"])
def test_one_bound_leaves_the_other_side_open(bound: str) -> None:
    feature = {"name": "amount", "kind": "number", "nullable": True, bound: 0.0}
    codec = codec_of(Feature.of(feature))
    open_side = 1e300 if bound == "least" else -1e300

    assert codec.encode([{"amount": open_side}]).tolist() == [[open_side]]
    assert np.isnan(codec.encode([{"amount": None}])).all()


@pytest.mark.parametrize("value", [-1.0, 3.0, 4.5, 5.0])
def test_a_number_in_a_gap_is_refused(value: float) -> None:
    gaps = ((-1.0, -1.0), (3.0, 5.0))
    codec = codec_of(Feature(name="amount", kind="number", nullable=True, gaps=gaps))

    assert faults(codec, {"amount": value}) == [(0, "amount", FaultCode.IN_GAP)]
    assert codec.encode_columns({"amount": np.array([-2.0, np.nan, 5.5])}).shape == (3, 1)


def test_gaps_ascend() -> None:
    with pytest.raises(DocumentInvalid, match="gaps must ascend"):
        Feature(name="amount", kind="number", nullable=True, gaps=((3.0, 2.0),))


def test_a_bounded_column_is_looked_at_value_by_value() -> None:
    codec = codec_of(Feature(name="amount", kind="number", nullable=False, greatest=1.0))

    with pytest.raises(RowsInvalid) as raised:
        codec.encode_columns({"amount": np.array([0.5, 2.0])})

    assert [(fault.row, fault.code) for fault in raised.value.faults] == [(1, FaultCode.TOO_LARGE)]


COUNTS = TermCounts(
    feature="note",
    analyzer=Analyzer(analyzer="word", ngram_range=(1, 2), lowercase=True, token_pattern=r"\w+"),
    terms=("not good", "good", "日本"),
)
NOTE = Feature(name="note", kind="text", nullable=False)


@pytest.mark.parametrize(
    ("text", "counts"),
    [("Not good, good", [1, 2, 0]), ("", [0, 0, 0]), ("日本 bad", [0, 0, 1]), ("1.5", [0, 0, 0])],
)
def test_a_text_becomes_counts_after_its_own_column(text: str, counts: list[float]) -> None:
    codec = codec_of(NOTE, COUNTS)

    X = codec.encode([{"note": "good"}, {"note": text}])

    assert X.tolist() == [[0, 0, 1, 0], [0, *counts]]
    assert codec.encode_columns({"note": ["good", text]}).tolist() == X.tolist()


def test_texts_are_counted_in_the_accepted_rows() -> None:
    X, accepted = codec_of(NOTE, COUNTS).encode_accepted([{"note": 1}, {"note": "good"}, {}])

    assert accepted.tolist() == [False, True, False]
    assert X.tolist() == [[0, 0, 1, 0]]


def test_each_count_has_its_own_columns() -> None:
    letters = TermCounts(
        feature="note",
        analyzer=Analyzer(analyzer="char", ngram_range=(1, 1), lowercase=False),
        terms=("g",),
    )

    X = codec_of(NOTE, letters, COUNTS, letters).encode([{"note": "ggood good"}])

    assert X.tolist() == [[0, 3, 0, 1, 0, 3]]


@pytest.mark.parametrize(
    ("value", "code"),
    [(None, FaultCode.NULL), (math.nan, FaultCode.NULL), (1, FaultCode.TYPE), ([], FaultCode.TYPE)],
)
def test_what_is_no_text_is_refused(value: object, code: FaultCode) -> None:
    assert faults(codec_of(NOTE, COUNTS), {"note": value}) == [(0, "note", code)]


def test_a_missing_text_is_nan_and_counts_nothing_where_null_is_accepted() -> None:
    codec = codec_of(NOTE.replace(nullable=True), COUNTS)

    X = codec.encode([{"note": None}])

    assert np.isnan(X[0, 0])
    assert X[0, 1:].tolist() == [0, 0, 0]


def test_moments_are_encoded_by_rows_and_by_columns() -> None:
    codec = codec_of(Feature(name="when", kind="datetime", nullable=False, unit="s"))
    days = np.array(["1970-01-02", "1969-12-31"], dtype="datetime64[D]")

    X = codec.encode([{"when": "1970-01-02"}, {"when": "1969-12-31T00:00:00"}])

    assert X.tolist() == [[86400.0], [-86400.0]]
    assert codec.encode_columns({"when": days}).tolist() == X.tolist()


@pytest.mark.parametrize("missing", [None, math.nan, pd.NaT, np.datetime64("NaT", "s")])
def test_a_missing_moment_is_null(missing: object) -> None:
    codec = codec_of(Feature(name="when", kind="datetime", nullable=False, unit="ns"))

    assert faults(codec, {"when": missing}) == [(0, "when", FaultCode.NULL)]
