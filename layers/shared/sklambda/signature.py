"""What a model takes and what it answers, as a client sees it."""

import re
from collections import Counter
from math import inf, isfinite
from typing import Annotated, Final, Literal, NamedTuple

from sklambda.datetimes import Unit, moment_encoder
from sklambda.document import Document
from sklambda.errors import DocumentInvalid


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


type Kind = Literal["number", "integer", "boolean", "category", "text", "datetime"]
type Task = Literal["binary", "multiclass", "regression", "anomaly", "clustering", "multioutput"]
type Parts = tuple[Target, ...]
type Scores = Literal["probability", "decision", "votes", "value", "label"]
type Scalar = bool | int | float | str
type FiniteFloat = Annotated[float, isfinite]

UNSEEN = -1.0
"""The code of a category that is not in the vocabulary."""


class Feature(Document):
    """One input of the model.

    Attributes
    ----------
    name : str
        As in the data that the pipeline was fitted on.
    kind : {"number", "integer", "boolean", "category", "text", "datetime"}
        How its values are written in JSON and encoded for the graph.
    nullable : bool
        Whether the pipeline accepts a missing value here.
    accepts_unseen : bool
        Whether the pipeline accepts a category that it was not fitted on.
    vocabulary : tuple of str
        The known categories; a category's code is its position.
    least, greatest : float or None
        The bounds of the numbers that the pipeline accepts; None for any finite one.
    choices : tuple of float
        The only numbers that the pipeline accepts, ascending; empty where it takes others too.
    unit : {"s", "ms", "us", "ns"} or None
        What a moment is counted in since the start of 1970; None for all that is none.
    range : tuple of (float, float), of (str, str), or None
        Least and greatest number, or first and last moment, seen in training.
    example : bool, int, float, str or None
        A typical value, for documents and forms.
    """

    name: str
    kind: Kind
    nullable: bool
    accepts_unseen: bool = False
    vocabulary: tuple[str, ...] = ()
    least: FiniteFloat | None = None
    greatest: FiniteFloat | None = None
    choices: tuple[FiniteFloat, ...] = ()
    unit: Unit | None = None
    range: tuple[float, float] | tuple[str, str] | None = None
    example: Scalar | None = None

    def agree(self) -> None:
        """Raise `DocumentInvalid` for a double category, and for a unit that is not due."""
        if len(set(self.vocabulary)) != len(self.vocabulary):
            raise DocumentInvalid(f"the vocabulary of {self.name!r} holds a category twice")
        if (self.kind == "datetime") != (self.unit is not None):
            raise DocumentInvalid(f"{self.name!r} needs a unit if it is a datetime, and only then")

    @property
    def span(self) -> tuple[float, float] | None:
        """The range as it stands in the graph's input: moments are counted in their unit."""
        if self.range is None:
            return None
        encode = float if self.unit is None else moment_encoder(self.unit)
        low, high = map(encode, self.range)
        return low, high


class Target(Document):
    """What the model answers.

    Attributes
    ----------
    name : str or None
        The target's column in the training data, where it is known.
    task : {"binary", "multiclass", "regression", "anomaly", "clustering", "multioutput"}
        The kind of answer.
    scores : str
        Which of scikit-learn's answers the scores are: "probability" is ``predict_proba``,
        "decision" and "votes" are ``decision_function``, "value" is a regressor's ``predict``,
        "label" is 1 for the class that ``predict`` gives and else 0.
    classes : tuple of bool, int, float or str
        scikit-learn's ``classes_`` in its order, the numbers of clusters, or -1 and 1 for an
        anomaly and none; empty for a regressor.
    outputs : tuple of str
        The names of a regressor's values; else empty.
    threshold : float or None
        The least score of ``classes[1]`` that gives this label; None for the rule of the scores.
    parts : tuple of Target
        The targets of a model that has several, in the order of their scores; else empty.

    Notes
    -----
    Without a threshold the label is the first class with the greatest score. One column of
    decisions gives ``classes[1]`` above 0, and of votes the whole number counts.
    """

    name: str | None = None
    task: Task
    scores: Scores = "probability"
    classes: tuple[Scalar, ...] = ()
    outputs: tuple[str, ...] = ()
    threshold: FiniteFloat | None = None
    parts: Parts = ()

    def agree(self) -> None:
        """Raise `DocumentInvalid` where the answers do not fit the task or the threshold them."""
        self._fit_the_task()
        self._decide_by_a_score()
        names = {part.name for part in self.parts}
        if None in names or len(names) != len(self.parts):
            raise DocumentInvalid("each of several targets needs a name of its own")

    def _fit_the_task(self) -> None:
        shape = _SHAPES[self.task]
        counts = len(self.classes), len(self.outputs), len(self.parts)
        ranges = shape.classes, shape.outputs, shape.parts
        fits = all(low <= count <= high for count, (low, high) in zip(counts, ranges, strict=True))
        if self.scores not in shape.scores or not fits:
            raise DocumentInvalid(f"the answers are not those of a target of task {self.task!r}")

    def _decide_by_a_score(self) -> None:
        least, greatest = _THRESHOLDS.get(self.scores, (inf, -inf))
        two = len(self.classes) == 2
        if self.threshold is not None and not (two and least <= self.threshold <= greatest):
            raise DocumentInvalid("the threshold is no score that decides between two classes")

    @property
    def width(self) -> int:
        """How many columns the scores have."""
        if self.parts:
            return sum(part.width for part in self.parts)
        if self.task == "regression":
            return len(self.outputs)
        return 1 if self.scores == "decision" and len(self.classes) == 2 else len(self.classes)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes as keys of a JSON object."""
        return tuple(str(label) for label in self.classes)


type _Range = tuple[int, float]


class _Shape(NamedTuple):
    """What the targets of one task have, and how many of it."""

    scores: frozenset[Scores]
    classes: _Range = (0, 0)
    outputs: _Range = (0, 0)
    parts: _Range = (0, 0)


_SHAPES: Final[dict[Task, _Shape]] = {
    "binary": _Shape(frozenset({"probability", "decision", "label"}), classes=(2, 2)),
    "multiclass": _Shape(
        frozenset({"probability", "decision", "votes", "label"}), classes=(3, inf)
    ),
    "anomaly": _Shape(frozenset({"decision"}), classes=(2, 2)),
    "clustering": _Shape(frozenset({"probability", "label"}), classes=(1, inf)),
    "regression": _Shape(frozenset({"value"}), outputs=(1, inf)),
    "multioutput": _Shape(frozenset({"probability", "decision", "label"}), parts=(1, inf)),
}
_THRESHOLDS: Final[dict[Scores, tuple[float, float]]] = {
    "probability": (0.0, 1.0),
    "decision": (-inf, inf),
}


class Signature(Document):
    """The inputs and the answer of one model.

    Attributes
    ----------
    features : tuple of Feature
        In the order of the columns of the graph's input.
    target : Target
        The answer.
    row_id : str or None
        A column that clients may send along and that no score depends on.
    counts : tuple of TermCounts
        What is counted in texts, in the order of the columns after those of the features.
    """

    features: Annotated[tuple[Feature, ...], len]
    target: Target
    row_id: str | None = None
    counts: tuple[TermCounts, ...] = ()

    def agree(self) -> None:
        """Raise `DocumentInvalid` for a name that stands twice or a text that nothing counts."""
        counts = Counter(self.names)
        if self.row_id is not None:
            counts[self.row_id] += 1
        doubled = [name for name, count in counts.items() if count > 1]
        if doubled:
            raise DocumentInvalid(f"the name {doubled[0]!r} stands twice")
        texts = {feature.name for feature in self.features if feature.kind == "text"}
        counted = {counts.feature for counts in self.counts}
        if texts != counted:
            raise DocumentInvalid(f"{min(texts ^ counted)!r} is not both a text and counted")

    @property
    def width(self) -> int:
        """How many columns the graph's input has."""
        return len(self.features) + sum(len(counts.terms) for counts in self.counts)

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, in order."""
        return tuple(feature.name for feature in self.features)

    @property
    def kinds(self) -> dict[str, Kind]:
        """The features' kinds by their names, in order."""
        return {feature.name: feature.kind for feature in self.features}

    @property
    def example(self) -> dict[str, Scalar | None]:
        """One row as a client would send it."""
        return {feature.name: feature.example for feature in self.features}
