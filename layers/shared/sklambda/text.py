"""Texts, to counts of the terms that a vectoriser knows.

A text is split as scikit-learn splits it, step by step in the same order, so that the counts are
its own. What it makes of the counts, weights and norms, is in the graph.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Final, Literal

from sklambda.arrays import FloatMatrix
from sklambda.document import Document
from sklambda.errors import DocumentInvalid

type Prepare = Callable[[str], str]
type Split = Callable[[str], Sequence[str]]

_SPACES: Final = re.compile(r"\s\s+")


class Analyzer(Document):
    """How a text is split into terms; the names are those of scikit-learn's vectorisers.

    Attributes
    ----------
    analyzer : {"word", "char", "char_wb"}
        What a term is made of: words, characters, or characters of one word.
    ngram_range : tuple of (int, int)
        The least and the greatest number of them in a term.
    lowercase : bool
        Whether the text is lowered first.
    strip_accents : {"ascii", "unicode"} or None
        How accents are taken off.
    token_pattern : str or None
        What a word is; None where terms are made of characters.
    stop_words : tuple of str
        The words that are left out.
    """

    analyzer: Literal["word", "char", "char_wb"]
    ngram_range: tuple[int, int]
    lowercase: bool
    strip_accents: Literal["ascii", "unicode"] | None = None
    token_pattern: str | None = None
    stop_words: tuple[str, ...] = ()

    def agree(self) -> None:
        """Raise `DocumentInvalid` for a range without n-grams or a pattern without words."""
        low, high = self.ngram_range
        if not 1 <= low <= high:
            raise DocumentInvalid("the range of n-grams is empty, or starts below 1")
        self._find_words()

    def _find_words(self) -> None:
        if (self.token_pattern is None) == (self.analyzer == "word"):
            raise DocumentInvalid("a token pattern is due for words, and for nothing else")
        try:
            groups = re.compile(self.token_pattern or "").groups
        except re.error as error:
            raise DocumentInvalid(f"the token pattern is no regular expression: {error}") from None
        if groups > 1:
            raise DocumentInvalid("the token pattern captures more than one group")

    def splitter(self) -> Split:
        """Make the function that splits a text into its terms, each as often as it stands there."""
        prepare, cut = _preparation(self), _CUTS[self.analyzer](self)
        return lambda text: cut(prepare(text))


class TermCounts(Document):
    """Columns of the graph's input that count the terms of one text.

    Attributes
    ----------
    feature : str
        The text's name.
    analyzer : Analyzer
        How it is split.
    terms : tuple of str
        What is counted, in the order of the columns.
    """

    feature: str
    analyzer: Analyzer
    terms: Annotated[tuple[str, ...], len]

    def agree(self) -> None:
        """Raise `DocumentInvalid` for a term that stands twice."""
        if len(set(self.terms)) != len(self.terms):
            raise DocumentInvalid(f"a term of {self.feature!r} stands twice")


class TermCounter:
    """Counts terms.

    Parameters
    ----------
    counts : TermCounts
        Which, and of what.
    """

    def __init__(self, counts: TermCounts) -> None:
        self._split = counts.analyzer.splitter()
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
