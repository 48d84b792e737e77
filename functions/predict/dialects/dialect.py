"""What every dialect is made of."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from functions.predict.http.exchange import Limits
from functions.predict.http.routes import Route
from functions.predict.service import Service


@dataclass(frozen=True, slots=True)
class Dialect(ABC):
    """Routes that understand one language.

    Attributes
    ----------
    service : Service
        What answers.
    limits : Limits
        The most that a request may hold.
    """

    service: Service
    limits: Limits

    @abstractmethod
    def routes(self) -> Iterator[Route]:
        """Give the routes."""
