"""Categories and their codes, shared by the codec and the graph."""

from collections.abc import Iterable

from sklambda.signature import UNSEEN


class Vocabulary:
    """The categories of one feature; a category's code is its position.

    It starts with the categories seen in the data and grows by those that only a fitted step knows,
    so that a category has one code on both sides.

    Parameters
    ----------
    categories : iterable of str
        The categories seen, in the order of their codes.
    """

    def __init__(self, categories: Iterable[str]) -> None:
        self._codes = {category: code for code, category in enumerate(categories)}

    def code(self, category: object) -> float:
        """Give the code of a category that a fitted step holds.

        What is no string no client can send, so it gets the code of the unseen.
        """
        if not isinstance(category, str):
            return UNSEEN
        return float(self._codes.setdefault(category, len(self._codes)))

    @property
    def categories(self) -> tuple[str, ...]:
        """All categories, in the order of their codes."""
        return tuple(self._codes)
