"""The OpenAPI document: FastAPI writes it from the table of routes, when somebody asks."""

from collections.abc import Iterable
from inspect import getdoc
from typing import Any

from fastapi import FastAPI

from functions.predict.http import schemas
from functions.predict.http.routes import Route


def document(routes: Iterable[Route], title: str, version: str, description: str) -> dict[str, Any]:
    """Describe the routes.

    Parameters
    ----------
    routes : iterable of Route
        The table; those without a description are left out.
    title, version, description : str
        What the document says of the whole.
    """
    app = FastAPI(title=title, version=version, description=description)
    for route in routes:
        if route.described is not None:
            app.add_api_route(
                route.path,
                _nothing,
                methods=[route.method],
                name=getattr(route.endpoint, "__name__", None),
                description=getdoc(route.endpoint),
                **route.described(),
            )
    document = app.openapi()
    document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = schemas.problem()
    return document


async def _nothing() -> None:
    """Stand in for a route whose body and parameters FastAPI need not understand."""
