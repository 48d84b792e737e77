"""What a model takes and what it answers, as a client sees it."""

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)

type Kind = Literal["number", "integer", "boolean", "category"]
type Task = Literal["binary", "multiclass", "regression"]
type Scores = Literal["probability", "decision", "value"]
type Scalar = StrictBool | StrictInt | StrictFloat | StrictStr
type Probability = Annotated[float, Field(ge=0, le=1)]

UNSEEN = -1.0
"""The code of a category that is not in the vocabulary."""


class Part(BaseModel):
    """Base of the parts of a signature: closed and unchangeable."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Feature(Part):
    """One input of the model.

    Attributes
    ----------
    name : str
        As in the data that the pipeline was fitted on.
    kind : {"number", "integer", "boolean", "category"}
        How its values are written in JSON and encoded for the graph.
    nullable : bool
        Whether the pipeline accepts a missing value here.
    accepts_unseen : bool
        Whether the pipeline accepts a category that it was not fitted on.
    vocabulary : tuple of str
        The known categories; a category's code is its position.
    greatest : float or None
        The greatest magnitude of a number that the pipeline accepts; None for any finite one.
    range : tuple of (float, float) or None
        Least and greatest value seen in training.
    example : bool, int, float, str or None
        A typical value, for documents and forms.
    """

    name: str
    kind: Kind
    nullable: bool
    accepts_unseen: bool = False
    vocabulary: tuple[str, ...] = ()
    greatest: Annotated[float, Field(gt=0)] | None = None
    range: tuple[float, float] | None = None
    example: Scalar | None = None

    @model_validator(mode="after")
    def _vocabulary_has_no_double(self) -> Self:
        if len(set(self.vocabulary)) != len(self.vocabulary):
            raise ValueError(f"the vocabulary of {self.name!r} holds a category twice")
        return self


class Target(Part):
    """What the model answers.

    Attributes
    ----------
    name : str or None
        The target's column in the training data, where it is known.
    task : {"binary", "multiclass", "regression"}
        The kind of answer.
    scores : {"probability", "decision", "value"}
        Which of scikit-learn's answers the scores are: ``predict_proba``, ``decision_function`` or
        a regressor's ``predict``.
    classes : tuple of bool, int, float or str
        scikit-learn's ``classes_``, in its order; empty for a regressor.
    outputs : tuple of str
        The names of a regressor's values; empty for a classifier.
    threshold : float or None
        The least score of ``classes[1]`` that gives this label; None for the most probable class.
    """

    name: str | None = None
    task: Task
    scores: Scores = "probability"
    classes: tuple[Scalar, ...] = ()
    outputs: tuple[str, ...] = ()
    threshold: Probability | None = None

    @model_validator(mode="after")
    def _task_and_answers_agree(self) -> Self:
        if self.task == "regression":
            agree = self.scores == "value" and bool(self.outputs) and not self.classes
        else:
            fits = len(self.classes) == 2 if self.task == "binary" else len(self.classes) > 2
            agree = self.scores != "value" and fits and not self.outputs
        if not agree:
            raise ValueError(f"scores, classes and outputs are not those of a {self.task} target")
        return self

    @property
    def width(self) -> int:
        """How many columns the scores have."""
        if self.task == "regression":
            return len(self.outputs)
        return 1 if (self.task, self.scores) == ("binary", "decision") else len(self.classes)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes as keys of a JSON object."""
        return tuple(str(label) for label in self.classes)


class Signature(Part):
    """The inputs and the answer of one model.

    Attributes
    ----------
    features : tuple of Feature
        In the order of the columns of the graph's input.
    target : Target
        The answer.
    row_id : str or None
        A column that clients may send along and that no score depends on.
    """

    features: Annotated[tuple[Feature, ...], Field(min_length=1)]
    target: Target
    row_id: str | None = None

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        counts = Counter(self.names)
        if self.row_id is not None:
            counts[self.row_id] += 1
        doubled = [name for name, count in counts.items() if count > 1]
        if doubled:
            raise ValueError(f"the name {doubled[0]!r} stands twice")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, in order."""
        return tuple(feature.name for feature in self.features)

    @property
    def example(self) -> dict[str, Scalar | None]:
        """One row as a client would send it."""
        return {feature.name: feature.example for feature in self.features}
