"""Trials of values that training did not have: would they fit after a simple change?

A category may differ from one of the vocabulary in blanks or in case, a number in its unit. Only
the numbers of rows leave this module, never a value.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import log10
from typing import Final

import numpy as np

from functions.batch.formats.slices import EncodedSlice, Reject
from functions.batch.formats.sql import identifier
from functions.batch.scoring.selection import member_text
from sklambda.arrays import Flags, FloatMatrix, FloatVector
from sklambda.codec.row_warnings import RowWarning, RowWarningCode
from sklambda.errors import FaultCode
from sklambda.reading.dialect import BLANKS
from sklambda.reading.suffixes import Format
from sklambda.signature import UNSEEN, Feature, Signature

type Rewrite = Callable[[str], str]

_FEW: Final = 0.01
"""The share of the records of a slice up to which values are not tried."""

_MOST_TEXTS: Final = 1000
"""The number of different values of one feature, the most frequent ones, that are tried."""

_INVISIBLE: Final = " \t\r\n\xa0\u2007\u202f\u200b\u2060\ufeff"
_QUOTES: Final = "'\"`\u2018\u2019\u201c\u201d\xab\xbb"
_WORDS: Final = re.compile(r"[\s\u200b\u2060\ufeff]+")


def _normal_form(text: str) -> str:
    """Return a text whose letters are composed and whose blanks are all plain and single."""
    return _WORDS.sub(" ", unicodedata.normalize("NFKC", text))


def _all_changes(text: str) -> str:
    plain = _normal_form(text).strip().strip(_QUOTES).strip().casefold()
    return REWRITES["leading_zeros"](REWRITES["trailing_zeros"](plain))


REWRITES: Final[Mapping[str, Rewrite]] = {
    "leading_blanks": lambda text: text.lstrip(BLANKS),
    "trailing_blanks": lambda text: text.rstrip(BLANKS),
    "blanks": lambda text: text.strip(BLANKS),
    "invisible_characters": lambda text: text.strip(_INVISIBLE),
    "quotes": lambda text: text.strip(_QUOTES),
    "case": str.casefold,
    "trailing_zeros": lambda text: re.sub(r"(?<=\d)[.,]0+\Z", "", text),
    "leading_zeros": lambda text: re.sub(r"\A0+(?=\d)", "", text),
    "normal_form": _normal_form,
    "several": _all_changes,
}
"""The changes to a category, the simplest first; both the value and the vocabulary are changed."""

_UNITS: Final = (2, 3, 6)
"""The powers of ten between two units of one quantity that are tried."""

_TYPICAL: Final = 0.3
"""How far, in powers of ten, the median may be from that of training in another unit."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The trial of the values of one feature that training did not have.

    Attributes
    ----------
    feature : str
        Its name.
    tried : int
        The number of rows with such a value.
    matched : dict of str to int
        The number of them whose value would fit, by the change: of `REWRITES`, or
        ``divided_by_1000`` and the like.
    """

    feature: str
    tried: int
    matched: dict[str, int]


class Trials:
    """Tries the values of slices.

    Parameters
    ----------
    signature : Signature
        Of the model.
    given : {"csv", "json_lines", "parquet"}
        The format of the input.
    """

    def __init__(self, signature: Signature, given: Format) -> None:
        self._features, self._objects = signature.features, given == "json_lines"
        trimmed = signature.reading.trim and given == "csv"
        self._read: Rewrite = REWRITES["blanks"] if trimmed else str
        self._vocabularies = cache(_rewritten_vocabularies)

    def of(
        self,
        encoded: EncodedSlice,
        good: Flags,
        X: FloatMatrix,
        warnings: Mapping[RowWarning, int],
    ) -> list[Trial]:
        """Try the values of a slice.

        Parameters
        ----------
        encoded : EncodedSlice
            The slice; its rejects include categories that the pipeline refuses.
        good : Flags
            Shape [n]: which of its rows were scored.
        X : FloatMatrix
            The scored rows.
        warnings : mapping of RowWarning to int
            The number of rows with each warning.
        """
        refused = _refused_places(encoded.rejects)
        least = _FEW * len(good)
        trials = list[Trial]()
        for place, feature in enumerate(self._features):
            if feature.kind == "category":
                rows = warnings.get(RowWarning(feature.name, RowWarningCode.UNSEEN_CATEGORY), 0)
                places = refused.get(feature.name, [])
                if rows + len(places) > least:
                    unseen = np.zeros(len(good), dtype=bool)
                    unseen[good] = X[:, place] == UNSEEN
                    unseen[np.searchsorted(encoded.places, places)] = True
                    trials.append(self._try_texts(encoded, feature, unseen))
            elif feature.kind in ("number", "integer"):
                rows = warnings.get(RowWarning(feature.name, RowWarningCode.OUT_OF_RANGE), 0)
                if rows > least:
                    trials.append(_try_units(feature, X[:, place]))
        return trials

    def _try_texts(self, encoded: EncodedSlice, feature: Feature, unseen: Flags) -> Trial:
        text = member_text(feature.name) if self._objects else identifier(feature.name)
        encoded.con.register("doubtful", {"doubtful": unseen})
        try:
            counts = encoded.con.execute(
                f"SELECT CAST({text} AS VARCHAR) AS text, count(*) FROM records r"
                " POSITIONAL JOIN doubtful d WHERE d.doubtful"
                f" GROUP BY text ORDER BY count(*) DESC, text LIMIT {_MOST_TEXTS}"
            ).fetchall()
        finally:
            encoded.con.unregister("doubtful")
        counts = [(self._read(text), rows) for text, rows in counts]
        vocabularies = self._vocabularies(feature)
        matched = {
            name: sum(rows for text, rows in counts if rewrite(text) in vocabularies[name])
            for name, rewrite in REWRITES.items()
        }
        tried = sum(rows for _, rows in counts)
        return Trial(feature.name, tried, {name: rows for name, rows in matched.items() if rows})


def _refused_places(rejects: Iterable[Reject]) -> dict[str, list[int]]:
    """Return for each feature the places of the records whose category the pipeline refuses."""
    places = defaultdict[str, list[int]](list)
    for reject in rejects:
        if reject.code == FaultCode.UNSEEN_CATEGORY and reject.column is not None:
            places[reject.column].append(reject.place)
    return places


def _rewritten_vocabularies(feature: Feature) -> dict[str, set[str]]:
    return {
        name: {rewrite(category) for category in feature.vocabulary}
        for name, rewrite in REWRITES.items()
    }


def _try_units(feature: Feature, values: FloatVector) -> Trial:
    """Try the unit in which the median, of `values` [N], would be about that of training."""
    low, high = feature.span or (-np.inf, np.inf)
    odd = values[(values < low) | (values > high)]
    return Trial(
        feature.name,
        len(odd),
        {
            name: rows
            for name, changed in _in_other_unit(feature, values, odd)
            if (rows := int(((changed >= low) & (changed <= high)).sum()))
        },
    )


def _in_other_unit(
    feature: Feature, values: FloatVector, odd: FloatVector
) -> Iterator[tuple[str, FloatVector]]:
    # The mean of two middle numbers might be past the greatest float.
    center = float(np.nanquantile(values, 0.5, method="inverted_cdf"))
    typical = float(feature.example or 0)
    if not typical or not center or (typical > 0) != (center > 0):
        return
    power = log10(abs(center)) - log10(abs(typical))
    whole = round(power)
    if abs(whole) in _UNITS and abs(power - whole) < _TYPICAL:
        factor = 10 ** abs(whole)
        if whole > 0:
            yield f"divided_by_{factor}", odd / factor
        else:
            yield f"multiplied_by_{factor}", odd * factor
