"""Builds the service and its application from the settings; makes no client."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import quote

from functions.predict.app.api import Application, create_app
from functions.predict.app.gateway import Gateway
from functions.predict.http.dispatch import Dispatch
from functions.predict.http.exchange import Limits
from functions.predict.http.routes import Route
from functions.predict.model import PredictionRequest, PredictionResponse, ServedModel
from functions.predict.observe import metrics
from functions.predict.registry import Registry
from functions.predict.service import Listener, Service
from functions.predict.settings import Settings
from sklambda.errors import SettingsInvalid
from sklambda.predictor import Predictor
from sklambda.telemetry import Log, Write, describe_exception

if TYPE_CHECKING:
    from functions.predict.http.cors import CrossOrigin
    from functions.predict.observe.disclosure import Disclosure
    from sklambda.storage import Client


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
    """The models with the two entry points of the service.

    Attributes
    ----------
    registry : Registry
        The models, each with its prediction service.
    app : Application
        Its application, for a server.
    handler : Gateway
        Its handler, for Lambda.
    """

    registry: Registry
    app: Application
    handler: Gateway


def assemble(settings: Settings, dependencies: Dependencies) -> Assembly:
    """Build the service of each model, their application and their Lambda handler.

    Raises
    ------
    PackageRefused
        A model package is absent or damaged; a challenger's is only left out.
    SettingsInvalid
        A setting does not fit the models.
    """
    registry = _registry(settings, dependencies)
    limits = Limits(settings.max_rows, settings.max_bytes)
    app = create_app(
        registry,
        limits,
        dependencies.log,
        _feedback(settings, dependencies, registry, limits),
        _metering(settings, dependencies, registry.names[0]),
        _cross_origin(settings.cors_origin),
    )
    return Assembly(registry, app, Gateway(app))


def _registry(settings: Settings, dependencies: Dependencies) -> Registry:
    """Replay the golden rows of all models, and build their services, the default one first."""
    champions = [ServedModel(predictor) for predictor in _open(settings)]
    _require_known(settings.redact, champions)
    services = (
        _service(settings, dependencies, champion, settings.challenger_dir if first else None)
        for first, champion in zip(chain([True], repeat(False)), champions, strict=False)
    )
    return Registry(*services)


def _open(settings: Settings) -> list[Predictor]:
    if settings.models_dir is None and not settings.default_model:
        return [Predictor.open(settings.model_dir)]
    from functions.predict.packages import open_packages

    return open_packages(settings)


def _require_known(redact: Iterable[str], champions: Iterable[ServedModel]) -> None:
    """Require features of a model: with a misspelt name, one would be captured."""
    unknown = set(redact).difference(*(champion.signature.admitted for champion in champions))
    if unknown:
        raise SettingsInvalid(f"REDACT must name features of the model, got {min(unknown)!r}")


def _metering(
    settings: Settings, dependencies: Dependencies, name: str
) -> Callable[[Dispatch], Dispatch]:
    namespace = settings.metrics_namespace
    if not namespace:
        return lambda dispatch: dispatch
    return lambda dispatch: metrics.MeteredDispatcher(dispatch, namespace, name, dependencies.write)


def _cross_origin(origin: str) -> "CrossOrigin | None":
    if not origin:
        return None
    from functions.predict.http.cors import CrossOrigin

    return CrossOrigin(origin)


def _service(
    settings: Settings, dependencies: Dependencies, champion: ServedModel, challenger: Path | None
) -> Service:
    listeners: list[Listener] = [metrics.count_predictions] if settings.metrics_namespace else []
    disclosure = _disclosure(settings, champion)
    if settings.capture != "off":
        from functions.predict.observe.capture import Capture

        listeners.append(
            Capture(
                champion.signature,
                settings.capture,
                settings.capture_share,
                settings.redact,
                dependencies.write,
                disclosure=disclosure,
                with_rows=bool(settings.feedback_store),
            )
        )
    if disclosure is not None:
        from functions.predict.observe.disclosure import Disclosing

        listeners = [Disclosing(disclosure, settings.capture_share, tuple(listeners))]
    if challenger is None:
        guarded = tuple(_guarded(one, dependencies.log) for one in listeners)
        return Service(champion, guarded, explain_seconds=settings.explain_seconds)
    return _with_challenger(challenger, settings, dependencies, champion, listeners, disclosure)


def _disclosure(settings: Settings, champion: ServedModel) -> "Disclosure | None":
    """Return what captures, metrics and shadows tell of scores; None where nothing is hidden."""
    mode: Literal["raw", "binned"] = "binned" if settings.capture == "binned" else "raw"
    if mode == "raw" and not settings.redact:
        return None
    from functions.predict.observe.disclosure import Disclosure

    own = tuple(name for name in settings.redact if name in champion.signature.admitted)
    return Disclosure(champion, mode, own) if own or mode == "binned" else None


def _with_challenger(
    path: Path,
    settings: Settings,
    dependencies: Dependencies,
    champion: ServedModel,
    listeners: list[Listener],
    disclosure: "Disclosure | None",
) -> Service:
    from functions.predict.challengers.admission import admit
    from functions.predict.challengers.modes import Shadow, Split

    log, write, share = dependencies.log, dependencies.write, settings.challenger_share
    admission = admit(path, champion, log)
    if settings.metrics_namespace:
        admitted = admission.challenger is not None
        write(metrics.admission_line(settings.metrics_namespace, champion.name, admitted))
    split = None
    if admission.challenger is not None and settings.challenger_mode == "split":
        split = Split(champion, admission.challenger, share, log)
    elif admission.challenger is not None:
        listeners.append(Shadow(admission.challenger, share, log, write, disclosure))
    guarded = tuple(_guarded(one, log) for one in listeners)
    return Service(champion, guarded, split, admission, settings.explain_seconds)


def _guarded(listener: Listener, log: Log) -> Listener:
    """Return a listener whose errors are logged: what observes an answer never prevents it."""

    def listen(request: PredictionRequest, response: PredictionResponse) -> None:
        try:
            listener(request, response)
        except Exception as error:
            context = {"request_id": request.caller.request_id, **describe_exception(error)}
            log.error("observation failed", extra=context)

    return listen


def _feedback(
    settings: Settings, dependencies: Dependencies, registry: Registry, limits: Limits
) -> Callable[[Service], Iterable[Route]]:
    """Return what makes the routes of a model: row ids of two models may be the same."""
    if not settings.feedback_store:
        return lambda service: ()
    from functions.predict.observe.feedback import Feedback
    from sklambda.storage import open_storage

    storage = open_storage(settings.feedback_store, dependencies.connect)

    def routes(service: Service) -> Iterable[Route]:
        is_default = service is registry.default
        prefix = "outcomes" if is_default else f"outcomes/model={quote(service.model.name)}"
        return Feedback(service.model.signature.target, storage, limits, prefix=prefix).routes()

    return routes
