"""The parts of the service put together as the settings say; it makes no client."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from functions.predict.app.api import Application, create_app
from functions.predict.app.gateway import Gateway
from functions.predict.http.exchange import REQUEST_ID, Limits
from functions.predict.http.routes import Route
from functions.predict.model import Model
from functions.predict.observe import metrics
from functions.predict.service import Listener, Service
from functions.predict.settings import Settings
from sklambda.predictor import Predictor
from sklambda.telemetry import Log, Write

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from sklambda.storage import Client


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
    log : Log
        For what people read.
    write : callable
        Writes a line that programs read.
    connect : callable
        Gives the client of S3; called at the first feedback, if it goes there.
    """

    log: Log
    write: Write
    connect: Callable[[], "Client"]


class Assembly(NamedTuple):
    """The service put together.

    Attributes
    ----------
    service : Service
        What answers.
    app : ASGIApp
        The application around it, for a server.
    handler : Gateway
        The same for Lambda.
    """

    service: Service
    app: "ASGIApp"
    handler: Gateway


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
    watch = partial(
        metrics.Metered,
        namespace=settings.metrics_namespace,
        name=service.model.name,
        write=around.write,
    )
    app = create_app(
        service,
        limits,
        around.log,
        _feedback(settings, around, service, limits),
        *([watch] if settings.metrics_namespace else []),
    )
    if not settings.cors_origin:
        return Assembly(service, app, Gateway(app))
    opened = _opened_to(settings.cors_origin, app)
    return Assembly(service, opened, Gateway(app, opened))


def _feedback(
    settings: Settings, around: Surroundings, service: Service, limits: Limits
) -> Iterable[Route]:
    if not settings.feedback_store:
        return ()
    from functions.predict.observe.feedback import Feedback
    from sklambda.storage import opened

    kept = opened(settings.feedback_store, around.connect)
    return Feedback(service.model.signature.target, kept, limits).routes()


def _opened_to(origin: str, app: Application) -> "ASGIApp":
    """Let pages of one origin read the answers."""
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
        from functions.predict.observe.capture import Capture

        listeners.append(
            Capture(
                champion.signature,
                settings.capture,
                settings.capture_share,
                settings.redact,
                around.write,
            )
        )
    if settings.challenger_dir is None:
        return Service(champion, tuple(listeners))
    from functions.predict.challenger import Shadow, Split, admitted

    share, split = settings.challenger_share, None
    challenger = admitted(settings.challenger_dir, champion, around.log)
    if challenger is not None and settings.challenger_mode == "split":
        split = Split(champion, challenger, share, around.log)
    elif challenger is not None:
        listeners.append(Shadow(challenger, share, around.log, around.write))
    return Service(champion, tuple(listeners), split)
