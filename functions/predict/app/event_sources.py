"""The event sources of the function: which one sent an event, and who answers it."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from functions.predict.app import bedrock, direct, http_events, other_sources, pings, redshift
from functions.predict.app.api import Application

type Event = Mapping[str, Any]


class Source(NamedTuple):
    """A source: which events are its own, and the answer to one of them.

    `matches` takes the event and Lambda's context.
    """

    matches: Callable[[Event, Any], bool]
    answer: Callable[[Application, Event, Any], Any]


SOURCES: Final = (
    Source(pings.matches, pings.answer),
    Source(bedrock.matches, bedrock.answer),
    Source(redshift.matches, redshift.answer),
    Source(other_sources.matches, other_sources.answer),
    Source(http_events.matches, http_events.answer),
)


def answer(app: Application, event: Any, context: Any) -> Any:
    """Return the answer to an event of any source, or to the payload of a direct invocation.

    Raises
    ------
    EventRefused
        The event is of a source that this function does not serve.
    """
    if isinstance(event, dict):
        for source in SOURCES:
            if source.matches(event, context):
                return source.answer(app, event, context)
    elif isinstance(event, list) and event and isinstance(event[0], dict):
        other_sources.refuse_batch(event[0], context)
    return direct.answer(app, event, context)
