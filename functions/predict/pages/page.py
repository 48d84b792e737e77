"""``GET /`` and ``GET /docs``: the service for people, in two documents that need nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from functions.predict.http import exchange
from functions.predict.http.exchange import Request
from functions.predict.http.response import Response
from functions.predict.http.routes import Route
from functions.predict.model import Model


@dataclass(frozen=True, slots=True)
class Page:
    """The form of a model, and the reference of its routes.

    What makes them is imported when somebody looks: a start that only predicts need not wait.

    Attributes
    ----------
    model : Model
        What is asked.
    openapi : callable
        Gives the OpenAPI document.
    """

    model: Model
    openapi: Callable[[], dict[str, Any]]

    def routes(self) -> Iterator[Route]:
        """Give the routes, which the document leaves out."""
        yield Route("GET", "/", self.form, described=None)
        yield Route("GET", "/docs", self.docs, described=None)
        yield Route("GET", "/openapi.json", self.document, described=None)

    def form(self, request: Request) -> Response:
        """Give the form: an input for each feature, with the example filled in."""
        from functions.predict.pages import form

        return form.document(self.model)

    def docs(self, request: Request) -> Response:
        """Give the reference: every route with its parameters, bodies and answers."""
        from functions.predict.pages import reference

        return reference.document(self.openapi())

    def document(self, request: Request) -> Response:
        """Give the OpenAPI document."""
        return Response(exchange.written(self.openapi()))
