"""The prediction service that all dialects share: rows in, predictions out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from functions.predict.http import problems
from functions.predict.model import PredictionRequest, PredictionResponse, ServedModel

if TYPE_CHECKING:
    from functions.predict.challengers.admission import Admission
    from functions.predict.challengers.split import Split


MAX_EXPLAINED_ROWS: Final = 20
"""Limit of a request with explanations: without a closed form, one row takes a second."""

type Listener = Callable[[PredictionRequest, PredictionResponse], None]
"""Called with every response before it is sent; must be quick and must not fail."""


@dataclass(frozen=True, slots=True)
class Service:
    """The served model and the listeners of its predictions.

    Attributes
    ----------
    model : ServedModel
        The champion.
    listeners : tuple of Listener
        Called for each response: capture, metrics, shadow.
    split : Split, optional
        Distributes the callers over the champion and a challenger.
    admission : Admission, optional
        Whether the challenger is admitted; None without one.
    """

    model: ServedModel
    listeners: tuple[Listener, ...] = ()
    split: "Split | None" = None
    admission: "Admission | None" = None

    def predict(self, request: PredictionRequest) -> PredictionResponse:
        """Return the predictions for a request.

        Raises
        ------
        RowsInvalid
            A row does not fit the signature; none was scored.
        ProblemRaised
            The model is not ready, or cannot explain its scores.
        """
        self.require_ready()
        selected = request.model
        if request.explain:
            _require_explainable(selected or self.model, len(request.rows))
        predict = selected.predict if selected else self.split or self.model.predict
        response = predict(request)
        for listener in self.listeners:
            listener(request, response)
        return response

    @property
    def versions(self) -> dict[str, ServedModel]:
        """The served models by id, the champion first."""
        other = self.split.challenger if self.split else self.model
        return {self.model.id: self.model, other.id: other}

    @property
    def challenger_card(self) -> dict[str, Any]:
        """The member ``challenger`` of documents about the service; empty without a challenger."""
        return {"challenger": self.admission.card} if self.admission else {}

    def require_ready(self) -> None:
        """Raise the problem of a model that fails a golden row."""
        if self.model.mismatch is not None:
            raise problems.not_ready(self.model.mismatch.name)


def _require_explainable(model: ServedModel, rows: int) -> None:
    if not model.explains:
        raise problems.not_explained()
    if rows > MAX_EXPLAINED_ROWS:
        raise problems.too_many_rows(MAX_EXPLAINED_ROWS)
