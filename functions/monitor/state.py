"""The state of the monitor: what a run stores for the next one."""

from collections.abc import Iterable
from typing import Final, Self

from pydantic_core import to_json

from sklambda.document import Document
from sklambda.policy.retraining import Signals, parse_time, recent
from sklambda.policy.watching import RetrainingPolicy
from sklambda.storage import Storage
from sklambda.storage.objects import JSON

_MAX_DEPLOYMENTS: Final = 10
_REPORTED_WINDOWS: Final = 3
"""For how many windows a finding that no longer shows still counts as reported."""


class Deployment(Document):
    """A version of the predict function.

    Attributes
    ----------
    version, modified : str
        Its number, and when it was published, ISO 8601.
    settings : dict of str to str
        The digest of each setting's value, by the name of the setting.
    """

    version: str
    modified: str
    settings: dict[str, str]


class State(Document):
    """The state of a model; its members are those of the stored JSON.

    Attributes
    ----------
    told : dict of str to str
        The reported findings, each with the end of the last window that showed it; empty since
        the last recovery.
    called : str
        The end of the window that last requested retraining; empty for never.
    signals : tuple of Signals
        The signals of the last windows, the latest last.
    deployments : tuple of Deployment
        The last versions of the function, the latest last.
    """

    told: dict[str, str]
    called: str = ""
    signals: tuple[Signals, ...] = ()
    deployments: tuple[Deployment, ...] = ()

    @classmethod
    def read(cls, storage: Storage, model_id: str) -> Self:
        """Read the state of a model; return an empty one for a new model."""
        stored = storage.find(_key(model_id))
        return cls(told={}) if stored is None else cls.parse(storage.read(stored))

    def write(self, storage: Storage, model_id: str) -> None:
        """Write the state of a model."""
        storage.put({_key(model_id): to_json(self, fallback=vars)})

    def signals_before(self, stop: str) -> list[Signals]:
        """Return the signals of the windows that end before a time."""
        return [one for one in self.signals if parse_time(one.stop) < parse_time(stop)]

    def is_past(self, stop: str) -> bool:
        """Return whether a later window was judged already."""
        return any(parse_time(one.stop) > parse_time(stop) for one in self.signals)

    def reported(self, now: Signals) -> dict[str, str]:
        """Return the reported findings without those that have not shown for some windows."""
        length = parse_time(now.stop) - parse_time(now.start)
        oldest = parse_time(now.stop) - _REPORTED_WINDOWS * length
        return {name: stop for name, stop in self.told.items() if parse_time(stop) >= oldest}

    def with_window(self, now: Signals, policy: RetrainingPolicy) -> Self:
        """Return the state with a window added, and without windows that no decision counts."""
        return self.replace(signals=recent(policy, self.signals_before(now.stop), now))

    def with_deployment(self, now: Deployment | None) -> Self:
        """Return the state with a version added, unless it is the last one already."""
        if now is None or self.deployments[-1:] == (now,):
            return self
        return self.replace(deployments=(*self.deployments, now)[-_MAX_DEPLOYMENTS:])


def claim(storage: Storage, model_id: str, name: str) -> str | None:
    """Claim the notifications of a run; return None if a run of the same event claimed them.

    A run that fails afterwards releases its claim, so that the next attempt can claim them.
    """
    key = f"state/{model_id}/{name}.json"
    return key if storage.create(key, b"{}", JSON) else None


def release(storage: Storage, claims: Iterable[str]) -> None:
    """Release claims."""
    storage.remove(claims)


def _key(model_id: str) -> str:
    return f"state/{model_id}.json"
