"""Counts the terms of texts.

A text is split by the steps of scikit-learn's vectorisers, in their order, so the counts are equal.
Weights and norms of the counts are in the graph.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from sklambda.arrays import FloatMatrix
from sklambda.codec.text_steps import hash_of, reader, stepper
from sklambda.signature import Analyzer, TermCounts

type Prepare = Callable[[str], str]
type Split = Callable[[str], Sequence[str]]

_SPACES: Final = re.compile(r"\s\s+")


class TermCounter:
    """Makes the columns of one text: counts of its terms, or what it is read as.

    Parameters
    ----------
    counts : TermCounts
        The terms, and how texts are split; or another reading.
    """

    def __init__(self, counts: TermCounts) -> None:
        self._prepare = stepper(counts.steps)
        self._read = None if counts.analyzer else reader(counts)
        self._split = splitter(counts.analyzer) if counts.analyzer else str.split
        self._places = {term: place for place, term in enumerate(counts.terms)}
        self._place = self._places.get if counts.hashed is None else _hashing(counts.hashed)
        self._signed = counts.signed

    def fill(self, texts: Iterable[object], counts: FloatMatrix) -> None:
        """Fill zeros, [N, width], by the columns of N texts; only strings have terms."""
        for value, row in zip(texts, counts, strict=True):
            text = self._prepare(value if isinstance(value, str) else None)
            if self._read is not None:
                row[0] = self._read(text)
            elif text is not None and self._signed:
                for term in self._split(text):
                    row[self._place(term)] += 1.0 if hash_of(term) >= 0 else -1.0
            elif text is not None:
                found = Counter(map(self._place, self._split(text)))
                del found[None]
                row[list(found)] = list(found.values())


def _hashing(columns: int) -> Callable[[str], int]:
    """Return the column of a term, as scikit-learn's FeatureHasher chooses it."""

    def place(term: str) -> int:
        found = hash_of(term)
        if found == -(2**31):
            return (2**31 - 1 - (columns - 1)) % columns
        return abs(found) % columns

    return place


def _preparation(settings: Analyzer) -> Prepare:
    strip = _STRIP[settings.strip_accents]
    return (lambda text: strip(text.lower())) if settings.lowercase else strip


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join([letter for letter in decomposed if not unicodedata.combining(letter)])


def _ascii_only(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")


_STRIP: Final[dict[str | None, Prepare]] = {
    None: lambda text: text,
    "unicode": _without_accents,
    "ascii": _ascii_only,
}


def _words(settings: Analyzer) -> Split:
    find = re.compile(settings.token_pattern or "").findall
    stop_words, (low, high) = frozenset(settings.stop_words), settings.ngram_range

    def split(text: str) -> list[str]:
        words = [word for word in find(text) if word not in stop_words]
        if high == 1:
            return words
        terms: list[str] = []
        for count in range(low, high + 1):
            terms += map(" ".join, zip(*(words[start:] for start in range(count)), strict=False))
        return terms

    return split


def _characters(settings: Analyzer) -> Split:
    low, high = settings.ngram_range

    def split(text: str) -> list[str]:
        spaced = _SPACES.sub(" ", text)
        return [
            spaced[start : start + count]
            for count in range(low, high + 1)
            for start in range(len(spaced) - count + 1)
        ]

    return split


def _characters_of_words(settings: Analyzer) -> Split:
    low, high = settings.ngram_range

    def grams(word: str) -> Iterator[str]:
        for count in range(low, high + 1):
            last = max(0, len(word) - count)
            yield from (word[start : start + count] for start in range(last + 1))
            if last == 0:  # a word that is too short counts once
                return

    return lambda text: [gram for word in text.split() for gram in grams(f" {word} ")]


_SPLITTERS: Final[dict[str, Callable[[Analyzer], Split]]] = {
    "word": _words,
    "char": _characters,
    "char_wb": _characters_of_words,
}


def splitter(analyzer: Analyzer) -> Split:
    """Return the function that splits a text into its terms, with repetitions."""
    prepare, split = _preparation(analyzer), _SPLITTERS[analyzer.analyzer](analyzer)
    return lambda text: split(prepare(text))
