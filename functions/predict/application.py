"""FastAPI, for routes that read their requests themselves and bring their own OpenAPI."""

from typing import Final

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig


class Application(FastAPI):
    """Routes, and the OpenAPI document that tells of them.

    Parameters
    ----------
    title, version, description : str
        What the document says of the whole.
    """

    def __init__(self, title: str, version: str, description: str) -> None:
        super().__init__(
            title=title,
            version=version,
            description=description,
            docs_url=None,  # its viewer comes from a content network; there is a page of our own
            redoc_url=None,
            redirect_slashes=False,  # the address would lack the stage
            telemetry=_OFF,
        )


# It would log the messages of exceptions, which may quote what a client sent.
_OFF: Final[TelemetryConfig] = {"tracing": False, "metrics": False, "logs": False}
