"""The parts of the service put together as the settings say; it makes no client."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from aws_lambda_powertools import Logger
from starlette.types import ASGIApp

from functions.predict import metrics
from functions.predict.api import create_app
from functions.predict.capture import Capture
from functions.predict.challenger import Shadow, Split, admitted
from functions.predict.exchange import REQUEST_ID, Limits
from functions.predict.feedback import Feedback
from functions.predict.service import Listener, Model, Service
from sklambda import storage
from sklambda.predictor import Predictor
from sklambda.settings import Settings
from sklambda.telemetry import Write

_ALLOWED_HEADERS: Final = (
    "accept",
    "authorization",
    "content-type",
    "inference-header-content-length",
    "x-amz-date",
    "x-amz-security-token",
    "x-api-key",
    "x-request-id",
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the parts need of the world.

    Attributes
    ----------
    logger : Logger
        For what people read.
    write : callable
        Writes a line that programs read.
    connect : callable
        Gives the client of S3; called at the first feedback, if it goes there.
    """

    logger: Logger
    write: Write
    connect: Callable[[], storage.Client]


class Assembly(NamedTuple):
    """The service put together.

    Attributes
    ----------
    service : Service
        What answers.
    app : ASGIApp
        The application around it.
    immediate : frozenset of (str, str)
        The method and path of the routes that answer without waiting for anything.
    """

    service: Service
    app: ASGIApp
    immediate: frozenset[tuple[str, str]]


def assemble(settings: Settings, around: Surroundings) -> Assembly:
    """Make the service, and the application around it.

    Raises
    ------
    PackageRefused
        The model package is absent or damaged; a challenger's is only left out.
    SettingsInvalid
        A setting does not fit the model.
    """
    service = _service(settings, around)
    limits = Limits(settings.max_rows, settings.max_bytes)
    parts = []
    if settings.feedback_store:
        kept = storage.opened(settings.feedback_store, around.connect)
        parts.append(Feedback(service.model.signature.target, kept, limits))
    api = create_app(service, limits, around.logger, parts)
    app: ASGIApp = api
    if settings.metrics_namespace:
        name = service.model.name
        app = metrics.Metered(app, settings.metrics_namespace, name, around.write)
    return Assembly(service, _opened_to(settings.cors_origin, app), frozenset(api.state.fixed))


def _opened_to(origin: str, app: ASGIApp) -> ASGIApp:
    """Let pages of one origin read the answers; of none, if none is named."""
    if not origin:
        return app
    from starlette.middleware.cors import CORSMiddleware

    return CORSMiddleware(
        app,
        allow_origins=(origin,),
        allow_methods=("GET", "POST"),
        allow_headers=_ALLOWED_HEADERS,
        expose_headers=(REQUEST_ID,),
        max_age=3600,
    )


def _service(settings: Settings, around: Surroundings) -> Service:
    champion = Model(Predictor.open(settings.model_dir))
    listeners: list[Listener] = [metrics.listen] if settings.metrics_namespace else []
    if settings.capture != "off":
        listeners.append(
            Capture(
                champion.signature,
                settings.capture,
                settings.capture_share,
                settings.redact,
                around.write,
            )
        )
    share, split = settings.challenger_share, None
    challenger = _challenger(settings, champion, around.logger)
    if challenger is not None and settings.challenger_mode == "split":
        split = Split(champion, challenger, share, around.logger)
    elif challenger is not None:
        listeners.append(Shadow(challenger, share, around.logger, around.write))
    return Service(champion, tuple(listeners), split)


def _challenger(settings: Settings, champion: Model, logger: Logger) -> Model | None:
    if settings.challenger_dir is None:
        return None
    return admitted(settings.challenger_dir, champion, logger)
