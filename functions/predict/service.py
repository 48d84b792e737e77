"""The prediction service that all dialects share: rows in, predictions out."""

from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from functions.predict.http import problems
from functions.predict.model import PredictionRequest, PredictionResponse, ServedModel
from sklambda.errors import OutOfTime, PackageRefused

if TYPE_CHECKING:
    from functions.predict.challengers.admission import Admission
    from functions.predict.challengers.modes import Split


EXPLAIN_SECONDS: Final = 8
"""How long a request with explanations may take: with a start it is within API Gateway's 29 s."""

received: ContextVar[float] = ContextVar("received")
"""When a server received the request that it works on, by ``time.perf_counter``, in seconds."""

_FIRST: Final = "1"
_UNNOTICED: Final = 0.05
"""Share of its time that a request may wait: as many rows as were said to fit are tried."""

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
    explain_seconds : float
        How long a request with explanations may take.
    """

    model: ServedModel
    listeners: tuple[Listener, ...] = ()
    split: "Split | None" = None
    admission: "Admission | None" = None
    explain_seconds: float = EXPLAIN_SECONDS

    def predict(self, request: PredictionRequest) -> PredictionResponse:
        """Return the predictions for a request.

        Raises
        ------
        RowsInvalid
            A row does not fit the signature; none was scored.
        ProblemRaised
            The model is not ready, or cannot explain its scores in time.
        """
        self.require_ready()
        if request.explain:
            return self._explain(request, request.model or self.model)
        return self._respond(request)

    def _respond(self, request: PredictionRequest) -> PredictionResponse:
        selected = request.model
        predict = selected.predict if selected else self.split or self.model.predict
        response = predict(request)
        for listener in self.listeners:
            listener(request, response)
        return response

    def _explain(self, request: PredictionRequest, model: ServedModel) -> PredictionResponse:
        """Return predictions with explanations, or the problem of more than there is time for."""
        if not model.explains:
            raise problems.not_explained()
        now, limit = perf_counter(), self.explain_seconds
        deadline = received.get(now) + limit
        fit = model.explained_in(limit)
        if len(request.rows) > fit:
            each = model.predictor.explainer.seconds
            raise problems.explanations_too_slow(fit, limit, each)
        if len(request.rows) > model.explained_in(deadline - now + _UNNOTICED * limit):
            raise problems.busy(limit)
        try:
            return self._respond(replace(request, deadline=deadline))
        except OutOfTime as over:
            if len(request.rows) == 1:  # which fits by the measure of the start
                raise problems.explanation_stopped(limit) from None
            raise problems.explanations_too_slow(max(1, over.done), limit) from None

    @property
    def versions(self) -> dict[str, ServedModel]:
        """The served models by id, the champion first."""
        other = self.split.challenger if self.split else self.model
        return {self.model.id: self.model, other.id: other}

    @property
    def challenger_card(self) -> dict[str, Any]:
        """The member ``challenger`` of documents about the service; empty without a challenger."""
        return {"challenger": self.admission.card} if self.admission else {}

    def load_explainers(self) -> None:
        """Read and measure what explanations need, so that none reads the packages later.

        Raises
        ------
        PackageRefused
            The champion's explainer is damaged; of a challenger it is found out when it explains.
        """
        for model in self.versions.values():
            if model.explains:
                with suppress(*() if model is self.model else (PackageRefused,)):
                    model.explained_in(self.explain_seconds)

    def version(self, name: str) -> ServedModel | None:
        """Return the model that a version names: its id, the first 12 digits of it, or its role.

        ``1``, which clients send where a server requires some version, is the champion.
        """
        if name == _FIRST:
            return self.model
        models = self.versions.values()
        return next((m for m in models if name in (m.id, m.version, m.role)), None)

    @property
    def version_names(self) -> list[str]:
        """All names of versions, the ids first."""
        models = self.versions.values()
        aliases = [name for model in models for name in (model.version, model.role)]
        return [*self.versions, *aliases, _FIRST]

    def require_ready(self) -> None:
        """Raise the problem of a model that fails a golden row."""
        if self.model.mismatch is not None:
            raise problems.not_ready(self.model.name, self.model.mismatch.name)
