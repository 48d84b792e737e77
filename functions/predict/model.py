"""A model as the service asks it: a question in, a reply out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from functions.predict.http.exchange import Caller
from sklambda.arrays import FloatMatrix
from sklambda.codec.codec import Row
from sklambda.decision import Prediction, decide
from sklambda.predictor import GoldenMismatch, Predictor
from sklambda.row_warnings import Caution, Lookout
from sklambda.signature import Signature

if TYPE_CHECKING:
    from sklambda.explain.explainer import Explanation


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
