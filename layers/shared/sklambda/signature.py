"""The features and the target of a model, as a client sees them."""

import re
from collections import Counter
from collections.abc import Callable
from math import inf, isfinite
from typing import Annotated, Final, Literal, NamedTuple

from sklambda.datetimes import Unit, datetime_encoder
from sklambda.document import Document
from sklambda.errors import DocumentInvalid
from sklambda.reading.records import Cell
from sklambda.reading.rules import Reading
from sklambda.reading.values import cell_parser

type Kind = Literal["number", "integer", "boolean", "category", "text", "datetime"]
type Task = Literal["binary", "multiclass", "regression", "anomaly", "clustering", "multioutput"]
type Parts = tuple[Target, ...]
type Scores = Literal["probability", "decision", "votes", "value", "label"]
type TextReading = Literal["terms", "category", "number", "length", "moment"]
type Deciding = Literal["decision", "votes"]
type Scalar = bool | int | float | str
type FiniteFloat = Annotated[float, isfinite]

_USUAL: Final = Reading()

UNSEEN = -1.0
"""The code of a category outside of the vocabulary."""


class Feature(Document):
    """One input of the model.

    Attributes
    ----------
    name : str
        The name of the column that the pipeline was fitted on.
    kind : {"number", "integer", "boolean", "category", "text", "datetime"}
        How its values are written in JSON and encoded for the graph.
    nullable : bool
        Whether the pipeline accepts a missing value here.
    accepts_unseen : bool
        Whether the pipeline accepts a category that it was not fitted on.
    vocabulary : tuple of str
        The known categories; a category's code is its position.
    least, greatest : float or None
        The bounds of the numbers that the pipeline accepts; None for no bound.
    choices : tuple of float
        The only numbers that the pipeline accepts, ascending; empty if it accepts others too.
    gaps : tuple of (float, float)
        Intervals, ascending and with both ends, of numbers that the pipeline refuses between
        others that it accepts: 0 before a logarithm that takes negative numbers for missing.
    unit : {"s", "ms", "us", "ns"} or None
        The unit in which a datetime is counted since the start of 1970; None for other kinds.
    range : tuple of (float, float), of (str, str), or None
        The least and the greatest number, or the first and the last datetime, of training.
    example : bool, int, float, str or None
        A typical value, for documents and forms.
    mostly_missing : bool
        Whether more than half of the rows of training had no value.
    """

    name: str
    kind: Kind
    nullable: bool
    accepts_unseen: bool = False
    vocabulary: tuple[str, ...] = ()
    least: FiniteFloat | None = None
    greatest: FiniteFloat | None = None
    choices: tuple[FiniteFloat, ...] = ()
    gaps: tuple[tuple[FiniteFloat, FiniteFloat], ...] = ()
    unit: Unit | None = None
    range: tuple[float, float] | tuple[str, str] | None = None
    example: Scalar | None = None
    mostly_missing: bool = False

    def validate(self) -> None:
        """Raise `DocumentInvalid` for duplicate categories, gaps in disorder, and a wrong unit."""
        if len(set(self.vocabulary)) != len(self.vocabulary):
            raise DocumentInvalid(f"the vocabulary of {self.name!r} has a duplicate category")
        ends = [end for gap in self.gaps for end in gap]
        if ends != sorted(ends):
            raise DocumentInvalid(f"{self.name!r}: gaps must ascend")
        if (self.kind == "datetime") != (self.unit is not None):
            raise DocumentInvalid(
                f"{self.name!r}: unit is required for a datetime, and only for it"
            )

    @property
    def span(self) -> tuple[float, float] | None:
        """The range as the graph's input has it: datetimes are counted in their unit."""
        if self.range is None:
            return None
        encode = float if self.unit is None else datetime_encoder(self.unit)
        low, high = map(encode, self.range)
        return low, high


class Target(Document):
    """The predictions of a model.

    Attributes
    ----------
    name : str or None
        The column of the target in the training data, if any.
    task : {"binary", "multiclass", "regression", "anomaly", "clustering", "multioutput"}
        The kind of prediction.
    scores : str
        The method of scikit-learn that returns the scores: "probability" is ``predict_proba``,
        "decision" and "votes" are ``decision_function``, "value" is a regressor's ``predict``,
        "label" is 1 for the class that ``predict`` returns and 0 for the others.
    classes : tuple of bool, int, float or str
        scikit-learn's ``classes_`` in its order, the numbers of clusters, or -1 and 1 for an
        anomaly and an inlier; empty for a regressor.
    outputs : tuple of str
        The names of the values of a regressor; else empty.
    threshold : float or None
        The least score of ``classes[1]`` with which it is the label; None for the rule below.
    label_by : {"decision", "votes"} or None
        What the label follows where it may be another class than the most probable one: columns of
        scores after the probabilities, one of two classes, else one for each. None where the scores
        decide.
    parts : tuple of Target
        The targets of a model with several, in the order of their scores; else empty.

    Notes
    -----
    Without a threshold the label is the first class with the greatest score. With one column of
    decisions it is ``classes[1]`` above 0; votes are rounded to whole numbers first.
    """

    name: str | None = None
    task: Task
    scores: Scores = "probability"
    classes: tuple[Scalar, ...] = ()
    outputs: tuple[str, ...] = ()
    threshold: FiniteFloat | None = None
    label_by: Deciding | None = None
    parts: Parts = ()

    def validate(self) -> None:
        """Raise `DocumentInvalid` where scores, threshold or names do not fit the task."""
        self._validate_scores()
        self._validate_threshold()
        self._validate_label_by()
        names = {part.name for part in self.parts}
        if None in names or len(names) != len(self.parts):
            raise DocumentInvalid("each of several targets needs a unique name")

    def _validate_scores(self) -> None:
        shape = _SHAPES[self.task]
        counts = len(self.classes), len(self.outputs), len(self.parts)
        ranges = shape.classes, shape.outputs, shape.parts
        fits = all(low <= count <= high for count, (low, high) in zip(counts, ranges, strict=True))
        if self.scores not in shape.scores or not fits:
            raise DocumentInvalid(f"scores, classes, outputs or parts do not fit {self.task!r}")

    def _validate_threshold(self) -> None:
        least, greatest = _THRESHOLDS.get(self.scores, (inf, -inf))
        two = len(self.classes) == 2
        if self.threshold is not None and not (two and least <= self.threshold <= greatest):
            raise DocumentInvalid("threshold must be a score that separates two classes")

    def _validate_label_by(self) -> None:
        several = len(self.classes) > 2 or self.label_by == "decision"
        probable = self.scores == "probability" and self.threshold is None
        if self.label_by is not None and not (several and probable):
            raise DocumentInvalid("label_by must be of probabilities without a threshold")

    @property
    def width(self) -> int:
        """The number of columns of the scores, with those that the label follows."""
        if self.parts:
            return sum(part.width for part in self.parts)
        if self.label_by is None:
            return self.shown
        return self.shown + (1 if len(self.classes) == 2 else len(self.classes))

    @property
    def shown(self) -> int:
        """The number of the first columns of the scores that clients see; of a single target."""
        if self.task == "regression":
            return len(self.outputs)
        return 1 if self.scores == "decision" and len(self.classes) == 2 else len(self.classes)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes as keys of a JSON object."""
        return tuple(str(label) for label in self.classes)


type _Range = tuple[int, float]


class _Shape(NamedTuple):
    """The scores and the numbers of classes, outputs and parts of a task."""

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


class Analyzer(Document):
    """How a text is split into terms; the names are those of scikit-learn's vectorisers.

    Attributes
    ----------
    analyzer : {"word", "char", "char_wb"}
        A term consists of words, characters, or characters of one word.
    ngram_range : tuple of (int, int)
        The least and the greatest number of words or characters of a term.
    lowercase : bool
        Whether the text is converted to lower case first.
    strip_accents : {"ascii", "unicode"} or None
        How accents are removed.
    token_pattern : str or None
        The regular expression of a word; None where terms consist of characters.
    stop_words : tuple of str
        Words that are not counted.
    """

    analyzer: Literal["word", "char", "char_wb"]
    ngram_range: tuple[int, int]
    lowercase: bool
    strip_accents: Literal["ascii", "unicode"] | None = None
    token_pattern: str | None = None
    stop_words: tuple[str, ...] = ()

    def validate(self) -> None:
        """Raise `DocumentInvalid` for an invalid range of n-grams or token pattern."""
        low, high = self.ngram_range
        if not 1 <= low <= high:
            raise DocumentInvalid(f"ngram_range must ascend from at least 1, got {low} to {high}")
        self._validate_token_pattern()

    def _validate_token_pattern(self) -> None:
        if (self.token_pattern is None) == (self.analyzer == "word"):
            raise DocumentInvalid("token_pattern is required for analyzer 'word', and only for it")
        try:
            groups = re.compile(self.token_pattern or "").groups
        except re.error as error:
            raise DocumentInvalid(f"token_pattern is not a regular expression: {error}") from None
        if groups > 1:
            raise DocumentInvalid(f"token_pattern must have at most one group, got {groups}")


class TextStep(Document):
    """One change of a text, by a method of Python's strings or by a regular expression.

    Attributes
    ----------
    name : str
        A name of `sklambda.codec.text_steps.STEPS`.
    arguments : tuple of bool, int, float, str or None
        What it is called with, after the text.
    """

    name: str
    arguments: tuple[Scalar | None, ...] = ()


class TermCounts(Document):
    """The columns of the graph's input that are made of one text.

    Attributes
    ----------
    feature : str
        The name of the text.
    analyzer : Analyzer or None
        How it is split into terms; None where the text is read as a whole.
    terms : tuple of str
        The terms, in the order of the columns; where the text is read as a category, the known
        ones in the order of their codes.
    hashed : int or None
        The number of columns, where terms are counted in the column of their hash.
    signed : bool
        Whether a term counts as -1 where its hash is below 0.
    steps : tuple of TextStep
        What is done to the text first.
    reading : {"terms", "category", "number", "length", "moment"}
        "terms" counts; the others are one column: the code of the text, the number that it is
        (infinite where it may be none), how many characters it has, or a date's seconds since 1970.
    """

    feature: str
    analyzer: Analyzer | None
    terms: tuple[str, ...] = ()
    hashed: int | None = None
    signed: bool = False
    steps: tuple[TextStep, ...] = ()
    reading: TextReading = "terms"

    def validate(self) -> None:
        """Raise `DocumentInvalid` for a duplicate term, and for columns of nothing."""
        if len(set(self.terms)) != len(self.terms):
            raise DocumentInvalid(f"{self.feature!r} has a duplicate term")
        if (self.analyzer is None) == (self.reading == "terms"):
            raise DocumentInvalid(f"{self.feature!r} must have an analyzer, or another reading")
        if self.width < 1:
            raise DocumentInvalid(f"{self.feature!r} must have terms, or be hashed")

    @property
    def width(self) -> int:
        """The number of columns."""
        if self.reading != "terms":
            return 1
        return len(self.terms) if self.hashed is None else self.hashed


class Signature(Document):
    """The features and the target of one model.

    Attributes
    ----------
    features : tuple of Feature
        In the order of the columns of the graph's input.
    target : Target
        The predictions.
    row_id : str or None
        A column that clients may send and that no score depends on.
    counts : tuple of TermCounts
        The counts of terms, in the order of their columns after those of the features.
    ignored : tuple of str
        Columns of the training data that the pipeline never reads: clients may send them, or not.
    partial : bool
        Whether some rows that fit it have no score, as those in which a divisor is 0: they are
        refused where they are scored.
    read : Reading or None
        How CSV files of its rows are read, where training states it.
    """

    features: Annotated[tuple[Feature, ...], len]
    target: Target
    row_id: str | None = None
    counts: tuple[TermCounts, ...] = ()
    ignored: tuple[str, ...] = ()
    partial: bool = False
    read: Reading | None = None

    def validate(self) -> None:
        """Raise `DocumentInvalid` for a duplicate name, and a text without counts."""
        counts = Counter((*self.names, *self.unscored))
        duplicates = [name for name, count in counts.items() if count > 1]
        if duplicates:
            raise DocumentInvalid(f"duplicate name {duplicates[0]!r}")
        texts = {feature.name for feature in self.features if feature.kind == "text"}
        counted = {counts.feature for counts in self.counts}
        if texts != counted:
            raise DocumentInvalid(f"{min(texts ^ counted)!r} must be a text with counts of terms")

    @property
    def reading(self) -> Reading:
        """The rules by which CSV files of its rows are read."""
        return _USUAL if self.read is None else self.read

    @property
    def cell_parsers(self) -> dict[str, Callable[[Cell], object]]:
        """The functions from a cell of CSV to the value that JSON would have, by feature."""
        return {
            each.name: cell_parser(self.reading, each.name, each.kind, each.vocabulary)
            for each in self.features
        }

    @property
    def width(self) -> int:
        """The number of columns of the graph's input."""
        return len(self.features) + sum(counts.width for counts in self.counts)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the features, in order."""
        return tuple(feature.name for feature in self.features)

    @property
    def unscored(self) -> tuple[str, ...]:
        """The names that clients may send and that no score depends on: row id, ignored columns."""
        return self.ignored if self.row_id is None else (self.row_id, *self.ignored)

    @property
    def admitted(self) -> frozenset[str]:
        """All names that a row may have."""
        return frozenset((*self.names, *self.unscored))

    @property
    def kinds(self) -> dict[str, Kind]:
        """The kinds of the features by name, in order."""
        return {feature.name: feature.kind for feature in self.features}

    @property
    def example(self) -> dict[str, Scalar | None]:
        """A row as a client would send it."""
        return {feature.name: feature.example for feature in self.features}
