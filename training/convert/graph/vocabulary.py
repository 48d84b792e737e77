"""The codes of one feature's strings, shared by the codec and the graph."""

from collections.abc import Callable, Iterable, Mapping

from sklambda.signature import UNSEEN, TermCounts, TextStep

type Steps = tuple[TextStep, ...]


class Vocabulary:
    """The categories of one feature, or the terms of its texts.

    A category's code is its position. They start with the categories seen in the data and grow by
    those that only a fitted step knows, so that a category has one code on both sides.

    Parameters
    ----------
    categories : iterable of str
        The categories seen, in the order of their codes.
    origin : (Vocabulary, tuple of TextStep), optional
        The texts of a feature, and the steps that make these of them.
    """

    def __init__(
        self, categories: Iterable[str], origin: "tuple[Vocabulary, Steps] | None" = None
    ) -> None:
        self.origin = origin
        self.is_tabulated = False
        """Whether they are what a table makes of other texts, which the codec cannot count."""
        self._codes = {category: code for code, category in enumerate(categories)}
        self._coded = False
        self._closed = False
        self._counted: dict[TermCounts, int] = {}
        self._derived: dict[tuple[TermCounts, int], tuple[int, Vocabulary | None]] = {}

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

    def counted(self, counts: TermCounts, widen: Callable[[int], int]) -> int:
        """Return the first of the columns that are made of texts.

        Parameters
        ----------
        counts : TermCounts
            The columns, of whatever feature.
        widen : callable
            Adds columns to the graph's input and gives the first; called once for the same counts.
        """
        if counts not in self._counted:
            self._counted[counts] = widen(counts.width)
        return self._counted[counts]

    def derived(
        self, counts: TermCounts, codes: "Vocabulary | None", widen: Callable[[int], int]
    ) -> int:
        """Return the column of what texts are read as; `codes` grow by what later steps know."""
        key = counts, id(codes)
        if key not in self._derived:
            self._derived[key] = widen(1), codes
        return self._derived[key][0]

    @property
    def categories(self) -> tuple[str, ...]:
        """All categories, in the order of their codes."""
        return tuple(self._codes)

    @property
    def counts(self) -> Mapping[int, TermCounts]:
        """What is made of texts by the first of the columns; empty for categories."""
        counted = {first: counts for counts, first in self._counted.items()}
        read = {
            first: _with_terms(counts, codes)
            for (counts, _), (first, codes) in self._derived.items()
        }
        return counted | read

    def use(self) -> None:
        """Let the codes be made, though no step asks for that of a category."""
        self._coded = True

    @property
    def is_torn(self) -> bool:
        """Whether one step takes the strings as categories and another as texts."""
        return self._coded and bool(self._counted or self._derived)


def _with_terms(counts: TermCounts, codes: Vocabulary | None) -> TermCounts:
    """Return a column with the categories of its codes; of codes that nothing reads, the length."""
    if codes is None:
        return counts
    if not codes._coded:
        return counts.replace(reading="length")
    return counts.replace(terms=codes.categories)
