"""The base of the dialects: protocols in which clients request predictions."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from functions.predict.http.exchange import Limits
from functions.predict.http.routes import Route
from functions.predict.service import Service


@dataclass(frozen=True, slots=True)
class Dialect(ABC):
    """The routes of one protocol.

    Attributes
    ----------
    service : Service
        The prediction service.
    limits : Limits
        Limits of one request.
    """

    service: Service
    limits: Limits

    @abstractmethod
    def routes(self) -> Iterator[Route]:
        """Return the routes."""
