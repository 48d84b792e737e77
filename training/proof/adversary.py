"""The rows of the proof: real ones, and adversarial ones.

Real rows alone prove little: conversions are wrong at the boundaries of trees, at missing values,
unseen categories and extreme numbers, and a test set holds none of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from sklambda.arrays import FloatVector
from sklambda.codec.codec import EXACT_INTEGER
from sklambda.signature import Kind, Scalar
from training.frames import ClientRow

type Group = Literal[
    "data", "boundaries", "missing", "categories", "texts", "extremes", "surface", "lattice"
]

NUMERIC: Final[tuple[Kind, ...]] = ("number", "integer")
_NUMBERS: Final = (
    *(sign * 10.0**power for power in (10, 15, 30, 38) for sign in (1, -1)),
    3e38,
    -3e38,
    3.4028235677973366e38,  # the least that float32 cannot hold
    1e39,
    -1e39,
    1e300,
    1e-310,
    -0.0,
)
_INTEGERS: Final = (
    0,
    -1,
    *(sign * (2**power + step) for power in (24, 31, 53) for step in (-1, 0) for sign in (1, -1)),
    2**24 + 1,
    EXACT_INTEGER + 1,
)
_VALUES: Final = 2**22
"""About how many values the rows have: of tables of more than some seventy columns fewer rows
are made for each."""

STRINGS: Final = ("", " ", "nan", "None", "unseen", "é", "日本", "\\u0000", "x" * 1000)


@dataclass(frozen=True, slots=True)
class Budget:
    """The number of rows at boundaries, and where classes tie.

    Attributes
    ----------
    rows : int
        Rows of all features together: forests have more boundaries than can be tried.
    spread : int
        Real rows on which each value is tried: few of them reach a branch deep in a tree.
    least_spread : int
        The fewest of them: of more values than the budget allows for, some are drawn.
    quantiles : int
        Quantiles of the data among the values.
    near_ties : int
        Rows at the decision surface, and as many on lattices.
    """

    rows: int = 60_000
    spread: int = 8
    least_spread: int = 3
    quantiles: int = 33
    near_ties: int = 4_000


FULL: Final = Budget()
"""The budget of the gate."""


@dataclass(frozen=True, slots=True)
class Case:
    """One row, with its group and name.

    It is held as a real row with changes: the rows of all cases would fill the memory.
    """

    group: Group
    name: str
    base: ClientRow
    changes: ClientRow = field(default_factory=dict)

    @property
    def row(self) -> ClientRow:
        """The row as a client would send it."""
        return self.base | self.changes if self.changes else self.base


def real(name: str, rows: Iterable[ClientRow]) -> Iterator[Case]:
    """Yield rows of the data unchanged."""
    for position, row in enumerate(rows):
        yield Case("data", f"{name} row {position}", row)


def adversarial(
    rows: Sequence[ClientRow],
    kinds: Mapping[str, Kind],
    limits: Mapping[str, FloatVector],
    seed: int,
    budget: Budget = FULL,
) -> Iterator[Case]:
    """Yield the rows that real data lacks.

    Parameters
    ----------
    rows : sequence of ClientRow
        Real rows, on which one value at a time is replaced.
    kinds : mapping of str to kind
        The features.
    limits : mapping of str to FloatVector
        The boundaries of each numeric feature, ascending.
    seed : int
        Of the choice of real rows.
    budget : Budget
        The number of rows at boundaries.
    """
    generator = np.random.default_rng(seed)
    numeric = sum(kind in NUMERIC for kind in kinds.values())
    most = min(budget.rows, _VALUES // len(kinds)) // max(1, numeric)
    unusual = max(1, _VALUES // (2 * len(kinds) ** 2))

    def pick() -> ClientRow:
        return rows[int(generator.integers(len(rows)))]

    for place, (name, kind) in enumerate(kinds.items()):
        if kind in NUMERIC:
            seen = [float(value) for row in rows if (value := row[name]) is not None]
            near = limits.get(name, np.empty(0))
            values = _values_at(near, kind, seen, most, budget, generator)
            for value in values:
                for _ in range(min(budget.spread, max(1, most // len(values)))):
                    yield Case("boundaries", f"{name} at a boundary", pick(), {name: value})
        # scikit-learn reads a missing date as a number.
        group: Group = "extremes" if kind == "datetime" else "missing"
        yield Case(group, f"{name} missing", pick(), {name: None})
        yield from _some(list(_unusual(name, kind, pick)), place, unusual)
        if kind == "text":
            for label, text in hard_texts([str(row[name]) for row in rows]):
                yield Case("texts", f"{name}: {label}", pick(), {name: text})
        elif kind == "datetime":
            moments = [str(row[name]) for row in rows]
            for moment in moments_around(moments, limits.get(name, np.empty(0))):
                yield Case("boundaries", f"{name} at a boundary", pick(), {name: moment})
    yield Case("missing", "everything missing", pick(), _nothing(kinds))


def _some(cases: Sequence[Case], place: int, most: int) -> Iterator[Case]:
    """Yield all cases of a feature, or of more than `most` others than the next feature's."""
    if len(cases) <= most:
        yield from cases
    else:
        yield from (cases[(place * most + step) % len(cases)] for step in range(most))


def _nothing(kinds: Mapping[str, Kind]) -> ClientRow:
    return {name: None for name, kind in kinds.items() if kind != "datetime"}


def _values_at(
    limits: FloatVector,
    kind: Kind,
    seen: Sequence[float],
    most_rows: int,
    budget: Budget,
    generator: np.random.Generator,
) -> list[Scalar]:
    """Choose the values at boundaries, each of which is tried on a few rows within the budget."""
    at = np.linspace(0, 1, budget.quantiles)
    spread = np.quantile(seen, at) if seen else np.zeros(1)
    values = neighbours(np.concatenate([limits, spread]), kind)
    most = max(1, most_rows // budget.least_spread)
    if len(values) <= most:
        return values
    places = generator.choice(len(values), most, replace=False)
    return [values[place] for place in sorted(places)]


def neighbours(centres: FloatVector, kind: Kind) -> list[Scalar]:
    """Return the neighbours of each centre that a feature of this kind can have.

    Numbers: the centre and the next to both sides, in float64 and in float32. Integers: the whole
    numbers on both sides.
    """
    if kind == "integer":
        whole = np.concatenate([np.floor(centres), np.ceil(centres)])
        return [int(value) for value in np.unique(whole) if abs(value) <= EXACT_INTEGER]
    down, up = np.float32(-np.inf), np.float32(np.inf)
    with np.errstate(over="ignore"):
        single = centres.astype(np.float32)
        beside = (single, np.nextafter(single, down), np.nextafter(single, up))
    found = [
        centres,
        np.nextafter(centres, -np.inf),
        np.nextafter(centres, np.inf),
        *(step.astype(np.float64) for step in beside),
    ]
    return [float(value) for value in np.unique(np.concatenate(found)) if np.isfinite(value)]


def _unusual(name: str, kind: Kind, pick: Callable[[], ClientRow]) -> Iterator[Case]:
    if kind == "category":
        for place, text in enumerate(STRINGS):
            yield Case("categories", f"{name} unseen, no. {place}", pick(), {name: text})
    elif kind == "datetime":
        for moment in EXTREME_MOMENTS:
            yield Case("extremes", f"{name} = {moment}", pick(), {name: moment})
    elif kind == "integer":
        for integer in _INTEGERS:
            yield Case("extremes", f"{name} = {integer}", pick(), {name: integer})
    elif kind == "number":
        for number in (*_NUMBERS, *map(float, _INTEGERS)):
            yield Case("extremes", f"{name} = {number!r}", pick(), {name: number})


_LONG: Final = 100_000
_MANY: Final = 5_000  # more than a table of logarithms holds
_TIMES: Final = 50
_DOCUMENTS: Final = 4

_TEXTS: Final = {
    "empty": "",
    "blanks": "   ",
    "stop words alone": "the and of a to in is",
    "unseen words alone": "qzxv wkjq zzyzx",
    "composed accents": "caf\u00e9 na\u00efve \u00c5ngstr\u00f6m \u00dcbergr\u00f6\u00dfe",
    "decomposed accents": "cafe\u0301 nai\u0308ve A\u030angstro\u0308m U\u0308bergro\u0308\u00dfe",
    "sharp s": "Stra\u00dfe STRASSE stra\u1e9ee",
    "dotted I, two letters once lowered": "\u0130stanbul \u0131\u011fd\u0131r I\u0307 DI\u015e",
    "final sigma": "\u039f\u0394\u039f\u03a3 \u03c3\u03c2 \u03a3",
    "ligatures and compatibility forms": "\ufb01ne \uff21\uff22\uff23 x\u00b2 \u2460 \u2126",
    "Chinese and Japanese": "\u6771\u4eac\u90fd \u30c6\u30b9\u30c8 \u304c \u304b\u3099",
    "Korean": "\ud55c\uad6d\uc5b4 \u1112\u1161\u11ab",
    "Arabic": "\u0645\u0631\u062d\u0628\u0627 \u0628\u0650\u0633\u0652\u0645 \u0661\u0662",
    "Devanagari": "\u0928\u092e\u0938\u094d\u0924\u0947 \u0967\u0968",
    "emoji": "good \U0001f600 \U0001f44d\U0001f3fd \U0001f1e8\U0001f1ed bad",
    "zero-width joiners": "\U0001f468\u200d\U0001f469\u200d\U0001f467 a\u200dzero\u200bwidth\ufeff",
    "spaces of Unicode": "one\u00a0two\u2003three\u2009four\u3000five\u2028six\u0085seven",
    "separators of ASCII": "one\x1ctwo\x1dthree\x1efour\x1ffive\x0bsix\x0cseven",
    "lines and tabs": "one\ntwo\r\nthree\tfour\n\nfive\r",
    "digits": "0 12 345 6789 3.14 1,000 2\u00bd \u0663\u0664",
    "underscores": "snake_case __dunder__ _ a_b",
    "apostrophes and hyphens": "don't o'clock \u2019tis e-mail re\u00adentry well\u2013known",
    "punctuation alone": "?!... ,;:-()[]{}<>/\\|@#$%^&*~`\"'",
    "words of one letter": "good a bad b c good \u00e9 bad",
    "NUL": "good\x00bad \x00 \x7f",
    "words that JSON knows": "null NaN true None",
    "past the basic plane": "\U0001d4d0\U0001d4d1 \U00020000 \U0001f600",
}


def hard_texts(documents: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield names and texts.

    Parameters
    ----------
    documents : sequence of str
        Real texts, some of which are concatenate, halved and repeated, so that known terms are met.
    """
    yield from _TEXTS.items()
    texts = sorted({text for text in documents if text.strip()}, key=lambda text: (len(text), text))
    chosen = texts[:: max(1, len(texts) // _DOCUMENTS)]
    for place, text in enumerate(chosen):
        yield f"no. {place} in upper case", text.upper()
        yield f"no. {place} in title case", text.title()
        yield f"first half of no. {place}", text[: len(text) // 2]
        yield f"second half of no. {place}", text[len(text) // 2 :]
        yield f"no. {place} without blanks", "".join(text.split())
        yield f"no. {place} with many blanks", " \n ".join(text.split())
        yield f"no. {place} backwards", " ".join(reversed(text.split()))
        yield f"no. {place} again and again", f"{text} " * max(2, min(_TIMES, _LONG // len(text)))
    concatenate = " ".join([*chosen, "word"])
    yield "several concatenate", concatenate
    yield "one word very often", f"{concatenate.split()[0]} " * _MANY
    yield "very long", f"{concatenate} " * (_LONG // len(concatenate) + 1)


_QUANTILES: Final = 33
_MOST: Final = 2_000

EXTREME_MOMENTS: Final = (
    "1970-01-01T00:00:00",
    "1969-12-31T23:59:59",
    "2000-02-29",
    "1900-03-01 12:30",
    "2038-01-19T03:14:08",
    "1677-09-21T00:12:43",  # the first and the last seconds that nanoseconds reach
    "2262-04-11T23:47:16",
    "1582-10-10",
    "0001-01-01T00:00:00",
    "9999-12-31T23:59:59",
)


def moments_around(seen: Sequence[str], limits: FloatVector) -> list[str]:
    """Return moments of the data, those at limits, and their neighbours on both sides.

    Parameters
    ----------
    seen : sequence of str
        The moments of the data, all to the same unit.
    limits : FloatVector
        Boundaries in that unit.
    """
    if not seen:
        return []
    known = np.sort(np.array(seen, dtype="datetime64"))  # numpy takes the unit from the digits
    spread = known[np.linspace(0, len(known) - 1, _QUANTILES).astype(np.intp)].view(np.int64)
    first, last = int(spread[0]), int(spread[-1])
    near = limits[(limits > 2.0 * first - last) & (limits < 2.0 * last - first)]
    whole = np.concatenate([spread, np.floor(near).astype(np.int64)])
    counts = np.unique(np.concatenate([whole - 1, whole, whole + 1]))
    counts = counts[:: len(counts) // _MOST + 1]
    texts: list[str] = np.datetime_as_string(counts.view(known.dtype)).tolist()
    return texts
