"""Builds the service and its application from the settings; makes no client."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from functions.predict.app.api import Application, create_app
from functions.predict.app.gateway import Gateway
from functions.predict.http.exchange import REQUEST_ID, Limits
from functions.predict.http.routes import Route
from functions.predict.model import ServedModel
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
class Dependencies:
    """Dependencies of the service on its environment.

    Attributes
    ----------
    log : Log
        Log for people.
    write : callable
        Writes a line for programs: metrics, captures.
    connect : callable
        Returns the S3 client; called at the first feedback that is stored there.
    """

    log: Log
    write: Write
    connect: Callable[[], "Client"]


class Assembly(NamedTuple):
    """The service with its two entry points.

    Attributes
    ----------
    service : Service
        The prediction service.
    app : ASGIApp
        Its application, for a server.
    handler : Gateway
        Its handler, for Lambda.
    """

    service: Service
    app: "ASGIApp"
    handler: Gateway


def assemble(settings: Settings, dependencies: Dependencies) -> Assembly:
    """Build the service, its application and its Lambda handler.

    Raises
    ------
    PackageRefused
        The model package is absent or damaged; a challenger's is only left out.
    SettingsInvalid
        A setting does not fit the model.
    """
    service = _service(settings, dependencies)
    limits = Limits(settings.max_rows, settings.max_bytes)
    metered = partial(
        metrics.MeteredDispatcher,
        namespace=settings.metrics_namespace,
        name=service.model.name,
        write=dependencies.write,
    )
    app = create_app(
        service,
        limits,
        dependencies.log,
        _feedback(settings, dependencies, service, limits),
        *([metered] if settings.metrics_namespace else []),
    )
    if not settings.cors_origin:
        return Assembly(service, app, Gateway(app))
    with_cors = _with_cors(settings.cors_origin, app)
    return Assembly(service, with_cors, Gateway(app, with_cors))


def _service(settings: Settings, dependencies: Dependencies) -> Service:
    champion = ServedModel(Predictor.open(settings.model_dir))
    listeners: list[Listener] = [metrics.count_predictions] if settings.metrics_namespace else []
    disclose = None
    if settings.capture != "off":
        from functions.predict.observe.capture import Capture

        if settings.capture == "binned" or settings.redact:
            from functions.predict.observe.disclosure import Disclosing, disclosures

            disclose = disclosures(champion, settings.capture, settings.redact)
        listeners.append(
            Capture(
                champion.signature,
                settings.capture,
                settings.capture_share,
                settings.redact,
                dependencies.write,
                disclose=disclose,
                with_rows=bool(settings.feedback_store),
            )
        )
        if disclose is not None:
            listeners = [Disclosing(disclose, settings.capture_share, tuple(listeners))]
    if settings.challenger_dir is None:
        return Service(champion, tuple(listeners))
    return _with_challenger(settings.challenger_dir, settings, dependencies, champion, listeners)


def _with_challenger(
    path: Path,
    settings: Settings,
    dependencies: Dependencies,
    champion: ServedModel,
    listeners: list[Listener],
) -> Service:
    from functions.predict.challengers.admission import admit
    from functions.predict.challengers.shadow import Shadow
    from functions.predict.challengers.split import Split

    log, write, share = dependencies.log, dependencies.write, settings.challenger_share
    admission = admit(path, champion, log)
    if settings.metrics_namespace:
        admitted = admission.challenger is not None
        write(metrics.admission_line(settings.metrics_namespace, champion.name, admitted))
    if admission.challenger is None:
        return Service(champion, tuple(listeners), admission=admission)
    if settings.challenger_mode == "split":
        split = Split(champion, admission.challenger, share, log)
        return Service(champion, tuple(listeners), split, admission)
    listeners.append(Shadow(admission.challenger, share, log, write))
    return Service(champion, tuple(listeners), admission=admission)


def _feedback(
    settings: Settings, dependencies: Dependencies, service: Service, limits: Limits
) -> Iterable[Route]:
    if not settings.feedback_store:
        return ()
    from functions.predict.observe.feedback import Feedback
    from sklambda.storage import open_storage

    storage = open_storage(settings.feedback_store, dependencies.connect)
    return Feedback(service.model.signature.target, storage, limits).routes()


def _with_cors(origin: str, app: Application) -> "ASGIApp":
    """Allow pages of one origin to read the responses."""
    from starlette.middleware.cors import CORSMiddleware

    from functions.predict.http.identity import SPLIT_KEY

    return CORSMiddleware(
        app,
        allow_origins=(origin,),
        allow_methods=("GET", "POST"),
        allow_headers=(*_ALLOWED_HEADERS, SPLIT_KEY),
        expose_headers=(REQUEST_ID,),
        max_age=3600,
    )
