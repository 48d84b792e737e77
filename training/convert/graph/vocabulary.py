"""The codes of one feature's strings, shared by the codec and the graph."""

from collections.abc import Callable, Iterable, Mapping

from sklambda.signature import UNSEEN, Analyzer

type Terms = tuple[Analyzer, tuple[str, ...]]


class Vocabulary:
    """The categories of one feature, or the terms of its texts.

    A category's code is its position. They start with the categories seen in the data and grow by
    those that only a fitted step knows, so that a category has one code on both sides.

    Parameters
    ----------
    categories : iterable of str
        The categories seen, in the order of their codes.
    """

    def __init__(self, categories: Iterable[str]) -> None:
        self._codes = {category: code for code, category in enumerate(categories)}
        self._coded = False
        self._closed = False
        self._counted: dict[Terms, int] = {}

    def code(self, category: object) -> float:
        """Return the code of a category that a fitted step holds.

        No client can send other types than strings: they get the code of unseen categories.
        """
        self._coded = True
        if not isinstance(category, str):
            return UNSEEN
        if self._closed:
            return float(self._codes.get(category, UNSEEN))
        return float(self._codes.setdefault(category, len(self._codes)))

    def close(self) -> None:
        """Refuse categories that are not known by now.

        What the user's code makes of others is not known, so no client may send them.
        """
        self._coded = self._closed = True

    @property
    def is_closed(self) -> bool:
        """Whether no client may send other categories."""
        return self._closed

    def counted(
        self, analyzer: Analyzer, terms: tuple[str, ...], widen: Callable[[int], int]
    ) -> int:
        """Return the first of the columns that count terms.

        Parameters
        ----------
        analyzer : Analyzer
            How a text is split.
        terms : tuple of str
            The terms that are counted, in the order of the columns.
        widen : callable
            Adds columns to the graph's input and gives the first; called once for the same counts.
        """
        if (analyzer, terms) not in self._counted:
            self._counted[analyzer, terms] = widen(len(terms))
        return self._counted[analyzer, terms]

    @property
    def categories(self) -> tuple[str, ...]:
        """All categories, in the order of their codes."""
        return tuple(self._codes)

    @property
    def counts(self) -> Mapping[Terms, int]:
        """The counted terms, and the first of their columns; empty for categories."""
        return self._counted

    @property
    def is_torn(self) -> bool:
        """Whether one step takes the strings as categories and another as texts."""
        return self._coded and bool(self._counted)
