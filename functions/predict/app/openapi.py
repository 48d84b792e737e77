"""The OpenAPI document, which FastAPI writes from the routes at the first request for it."""

from collections.abc import Iterable
from inspect import getdoc
from typing import Any

from fastapi import FastAPI

from functions.predict.http import schemas
from functions.predict.http.routes import Route


def document(routes: Iterable[Route], title: str, version: str, description: str) -> dict[str, Any]:
    """Return the OpenAPI document of routes.

    Parameters
    ----------
    routes : iterable of Route
        The routes; one without a description is left out.
    title, version, description : str
        The ``info`` of the document.
    """
    app = FastAPI(title=title, version=version, description=description)
    for route in routes:
        if route.describe is not None:
            app.add_api_route(
                route.path,
                _placeholder,
                methods=[route.method],
                name=getattr(route.endpoint, "__name__", None),
                description=getdoc(route.endpoint),
                **route.describe(),
            )
    document = app.openapi()
    document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = schemas.problem()
    return document


async def _placeholder() -> None:
    """Stand in for an endpoint: bodies and parameters are described by the route itself."""
