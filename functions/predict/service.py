"""The one call behind every dialect: rows in, answers out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from functions.predict.http import problems
from functions.predict.model import Model, Question, Reply

if TYPE_CHECKING:
    from functions.predict.challenger import Split


MOST_EXPLAINED: Final = 20
"""Rows that one request may have explained: where there is no closed form, one takes a second."""


type Listener = Callable[[Question, Reply], None]
"""Told of every reply before it is sent; must be quick and must not fail."""


@dataclass(frozen=True, slots=True)
class Service:
    """The model, and who is told of its answers.

    Attributes
    ----------
    model : Model
        What answers.
    listeners : tuple of Listener
        What is told of each reply: capture, metrics.
    split : Split, optional
        What answers instead of the model: it, or a challenger.
    """

    model: Model
    listeners: tuple[Listener, ...] = ()
    split: "Split | None" = None

    def ask(self, question: Question) -> Reply:
        """Answer a question.

        Raises
        ------
        RowsInvalid
            Some row does not fit the signature; none was scored.
        ProblemRaised
            The model is not ready, or is to explain and cannot.
        """
        self.require_ready()
        pinned = question.model
        if question.explain:
            _require_explainable(pinned or self.model, len(question.rows))
        answer = pinned.reply if pinned else self.split or self.model.reply
        reply = answer(question)
        for listener in self.listeners:
            listener(question, reply)
        return reply

    @property
    def versions(self) -> dict[str, Model]:
        """The models that answer, by their ids; the first is the service's own."""
        other = self.split.challenger if self.split else self.model
        return {self.model.id: self.model, other.id: other}

    def require_ready(self) -> None:
        """Raise the problem of a model that does not answer as scikit-learn did."""
        if self.model.mismatch is not None:
            raise problems.not_ready(self.model.mismatch.name)


def _require_explainable(model: Model, rows: int) -> None:
    if not model.predictor.explains:
        raise problems.not_explained()
    if rows > MOST_EXPLAINED:
        raise problems.too_many_rows(MOST_EXPLAINED)
