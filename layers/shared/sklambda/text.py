"""Texts, to counts of the terms that a vectoriser knows.

A text is split as scikit-learn splits it, step by step in the same order, so that the counts are
its own. What it makes of the counts, weights and norms, is in the graph.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sklambda.arrays import FloatMatrix

type Prepare = Callable[[str], str]
type Split = Callable[[str], Sequence[str]]

_SPACES: Final = re.compile(r"\s\s+")


class Analyzer(BaseModel):
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

    model_config = ConfigDict(frozen=True, extra="forbid")

    analyzer: Literal["word", "char", "char_wb"]
    ngram_range: tuple[Annotated[int, Field(ge=1)], int]
    lowercase: bool
    strip_accents: Literal["ascii", "unicode"] | None = None
    token_pattern: str | None = None
    stop_words: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _range_is_not_empty(self) -> Self:
        low, high = self.ngram_range
        if low > high:
            raise ValueError("the range of n-grams is empty")
        return self

    @model_validator(mode="after")
    def _pattern_finds_words(self) -> Self:
        if (self.token_pattern is None) == (self.analyzer == "word"):
            raise ValueError("a token pattern is due for words, and for nothing else")
        try:
            groups = re.compile(self.token_pattern or "").groups
        except re.error as error:
            raise ValueError(f"the token pattern is no regular expression: {error}") from None
        if groups > 1:
            raise ValueError("the token pattern captures more than one group")
        return self

    def splitter(self) -> Split:
        """Make the function that splits a text into its terms, each as often as it stands there."""
        prepare, cut = _preparation(self), _CUTS[self.analyzer](self)
        return lambda text: cut(prepare(text))


class TermCounts(BaseModel):
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

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature: str
    analyzer: Analyzer
    terms: Annotated[tuple[str, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _terms_are_unique(self) -> Self:
        if len(set(self.terms)) != len(self.terms):
            raise ValueError(f"a term of {self.feature!r} stands twice")
        return self


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
