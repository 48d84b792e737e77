"""A column then and now."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions.monitor.verdict import About
from sklambda.baseline import Reference
from sklambda.sketch import Column


@dataclass(frozen=True, slots=True)
class Pair:
    """A column then and now.

    Attributes
    ----------
    name : str
        The feature, score or target.
    reference : Reference
        The column of training, whose ruler both are counted on.
    before, after : Column
        What is compared.
    categories : sequence of str
        The name of each code; empty for numbers.
    about : {"feature", "prediction"}
        What the column is.
    weight : float
        How much the model attributes to it.
    """

    name: str
    reference: Reference
    before: Column
    after: Column
    categories: Sequence[str] = ()
    about: About = "feature"
    weight: float = 1.0
