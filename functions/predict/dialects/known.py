"""The languages in which predictions can be asked for, over one service."""

from collections.abc import Callable
from typing import Final, Protocol

from functions.predict.application import Application
from functions.predict.dialects.invocations import Invocations
from functions.predict.dialects.native import Native
from functions.predict.dialects.oip import OpenInference
from functions.predict.exchange import Limits
from functions.predict.service import Service


class Dialect(Protocol):
    """Routes that understand one language."""

    def mount(self, app: Application) -> None:
        """Add the routes to an application."""


DIALECTS: Final[tuple[Callable[[Service, Limits], Dialect], ...]] = (
    Native,
    OpenInference,
    Invocations,
)
