"""Texts, to counts of the terms that a vectoriser knows.

A text is split as scikit-learn splits it, step by step in the same order, so that the counts are
its own. What it makes of the counts, weights and norms, is in the graph.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from sklambda.arrays import FloatMatrix
from sklambda.signature import Analyzer, TermCounts

type Prepare = Callable[[str], str]
type Split = Callable[[str], Sequence[str]]

_SPACES: Final = re.compile(r"\s\s+")


class TermCounter:
    """Counts terms.

    Parameters
    ----------
    counts : TermCounts
        Which, and of what.
    """

    def __init__(self, counts: TermCounts) -> None:
        self._split = splitter(counts.analyzer)
        self._places = {term: place for place, term in enumerate(counts.terms)}

    def fill(self, texts: Iterable[object], counts: FloatMatrix) -> None:
        """Count the terms of N texts into zeros, [N, terms]; what is no string has none."""
        find = self._places.get
        for text, row in zip(texts, counts, strict=True):
            if isinstance(text, str):
                found = Counter(map(find, self._split(text)))
                del found[None]
                row[list(found)] = list(found.values())


def _preparation(settings: Analyzer) -> Prepare:
    strip = _STRIP[settings.strip_accents]
    return (lambda text: strip(text.lower())) if settings.lowercase else strip


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join([letter for letter in decomposed if not unicodedata.combining(letter)])


def _ascii_alone(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")


_STRIP: Final[dict[str | None, Prepare]] = {
    None: lambda text: text,
    "unicode": _without_accents,
    "ascii": _ascii_alone,
}


def _words(settings: Analyzer) -> Split:
    find = re.compile(settings.token_pattern or "").findall
    stop_words, (low, high) = frozenset(settings.stop_words), settings.ngram_range

    def cut(text: str) -> list[str]:
        words = [word for word in find(text) if word not in stop_words]
        if high == 1:
            return words
        terms: list[str] = []
        for count in range(low, high + 1):
            terms += map(" ".join, zip(*(words[start:] for start in range(count)), strict=False))
        return terms

    return cut


def _characters(settings: Analyzer) -> Split:
    low, high = settings.ngram_range

    def cut(text: str) -> list[str]:
        spaced = _SPACES.sub(" ", text)
        return [
            spaced[start : start + count]
            for count in range(low, high + 1)
            for start in range(len(spaced) - count + 1)
        ]

    return cut


def _characters_of_words(settings: Analyzer) -> Split:
    low, high = settings.ngram_range

    def grams(word: str) -> Iterator[str]:
        for count in range(low, high + 1):
            last = max(0, len(word) - count)
            yield from (word[start : start + count] for start in range(last + 1))
            if last == 0:  # a word that is too short counts once
                return

    return lambda text: [gram for word in text.split() for gram in grams(f" {word} ")]


_CUTS: Final[dict[str, Callable[[Analyzer], Split]]] = {
    "word": _words,
    "char": _characters,
    "char_wb": _characters_of_words,
}


def splitter(analyzer: Analyzer) -> Split:
    """Return the function that splits a text into its terms, each as often as it occurs."""
    prepare, cut = _preparation(analyzer), _CUTS[analyzer.analyzer](analyzer)
    return lambda text: cut(prepare(text))
