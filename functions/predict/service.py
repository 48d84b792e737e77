"""The one call behind every dialect: rows in, answers out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from functions.predict import problems
from sklambda.arrays import FloatMatrix
from sklambda.cautions import Caution, Lookout
from sklambda.codec import Row
from sklambda.predictor import GoldenMismatch, Prediction, Predictor, decide
from sklambda.signature import Signature

if TYPE_CHECKING:
    from functions.predict.challenger import Split
    from sklambda.explainer import Explanation


MOST_EXPLAINED: Final = 20
"""Rows that one request may have explained: where there is no closed form, one takes a second."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as far as the service may know.

    Attributes
    ----------
    request_id : str
        Names the request in the answer, in the log and at the gateway.
    key_id : str or None
        The id of the API key, or the principal; never the key.
    """

    request_id: str
    key_id: str | None = None

    def prediction_id(self, place: int) -> str:
        """Name the answer for the row at `place`, as feedback and monitoring do."""
        return f"{self.request_id}-{place}"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, in whichever dialect.

    Attributes
    ----------
    rows : sequence of Row
        Feature values by name.
    caller : Caller
        Who asks.
    explain : bool
        Whether each score is to be explained.
    coerced : sequence of (int, str)
        The row and feature of each value whose type the dialect had to change.
    model : Model or None
        What is to answer; None leaves it to the service.
    """

    rows: Sequence[Row]
    caller: Caller
    explain: bool = False
    coerced: Sequence[tuple[int, str]] = ()
    model: "Model | None" = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the service says to a question.

    Attributes
    ----------
    model : Model
        Which model answered.
    X : FloatMatrix
        Shape [N, K], float64: the encoded rows.
    scores : FloatMatrix
        Shape [N, C], float64.
    predictions : sequence of Prediction
        One a row.
    cautions : sequence of sequence of Caution
        One list a row.
    explanations : sequence of sequence of Explanation
        One list a row, if they were asked for.
    """

    model: "Model"
    X: FloatMatrix
    scores: FloatMatrix
    predictions: Sequence[Prediction]
    cautions: Sequence[Sequence[Caution]]
    explanations: Sequence[Sequence["Explanation"]] = ()


type Listener = Callable[[Question, Reply], None]
"""Told of every reply before it is sent; must be quick and must not fail."""

type Role = Literal["champion", "challenger"]


class Model:
    """A model package that is served.

    Parameters
    ----------
    predictor : Predictor
        Its golden rows are replayed here, once: a model that does not give scikit-learn's answers
        on this machine scores nothing.
    role : {"champion", "challenger"}
        What it is here.
    """

    def __init__(self, predictor: Predictor, role: Role = "champion") -> None:
        manifest = predictor.package.manifest
        self.predictor, self.name, self.id = predictor, manifest.name, manifest.id
        self.role: Role = role
        self.signature: Signature = predictor.package.signature
        self.version = self.id[:12]
        self.mismatch: GoldenMismatch | None = predictor.replay()
        self._lookout = Lookout(self.signature)

    def reply(self, question: Question) -> Reply:
        """Answer; raises `RowsInvalid` where some row does not fit the signature."""
        X = self.predictor.encode(question.rows)
        scores = self.predictor.run(X)
        predictions = decide(self.signature.target, scores)
        explanations = self.predictor.explain(X) if question.explain else ()
        cautions = self._lookout.look(X, question.coerced)
        return Reply(self, X, scores, predictions, cautions, explanations)


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
