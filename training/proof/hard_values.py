"""Texts and dates on which tokenizers and date arithmetic often differ."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from sklambda.arrays import FloatVector

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
        Real texts, some of which are joined, halved and repeated, so that known terms are met.
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
    joined = " ".join([*chosen, "word"])
    yield "several joined", joined
    yield "one word very often", f"{joined.split()[0]} " * _MANY
    yield "very long", f"{joined} " * (_LONG // len(joined) + 1)


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
