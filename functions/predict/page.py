"""``GET /`` and ``GET /docs``: the service for people, in two documents that need nothing else."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from functions.predict.application import Application
from functions.predict.service import Model


@dataclass(frozen=True, slots=True)
class Page:
    """The form of a model, and the reference of its routes.

    What makes them is imported when somebody looks: a start that only predicts need not wait.

    Attributes
    ----------
    model : Model
        What is asked.
    """

    model: Model

    def mount(self, app: Application) -> None:
        """Add the routes to an application."""
        app.get("/", include_in_schema=False)(self.form)
        app.get("/docs", include_in_schema=False)(self.docs)

    async def form(self) -> Response:
        """Give the form: an input for each feature, with the example filled in."""
        from functions.predict import form

        return form.document(self.model)

    async def docs(self, request: Request) -> Response:
        """Give the reference: every route with its parameters, bodies and answers."""
        from functions.predict import reference

        return reference.document(request.app.openapi())
