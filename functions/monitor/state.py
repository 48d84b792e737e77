"""What the monitor remembers of a model from one run to the next."""

from collections.abc import Iterable
from typing import Final, Self

from pydantic_core import to_json

from sklambda.document import Document
from sklambda.policy.retraining import Signals, moment, recent
from sklambda.policy.watching import RetrainingPolicy
from sklambda.storage import Storage
from sklambda.storage.objects import JSON

_DEPLOYMENTS: Final = 10
_KNOWN: Final = 3
"""For how many windows what does not show any more is still known."""


class Deployment(Document):
    """A version of the predict function.

    Attributes
    ----------
    version, modified : str
        Its number, and when it was published, ISO 8601.
    settings : dict of str to str
        The digest of each setting's value, by the setting's name.
    """

    version: str
    modified: str
    settings: dict[str, str]


class State(Document):
    """What must be remembered.

    Attributes
    ----------
    told : dict of str to str
        What people know by the last messages, and the end of the last window that showed it;
        empty since all was well again.
    called : str
        The end of the window that last asked for retraining; empty for never.
    signals : tuple of Signals
        Of the last windows, the latest last.
    deployments : tuple of Deployment
        The last versions that were seen, the latest last.
    """

    told: dict[str, str]
    called: str = ""
    signals: tuple[Signals, ...] = ()
    deployments: tuple[Deployment, ...] = ()

    @classmethod
    def read(cls, storage: Storage, model_id: str) -> Self:
        """Read the state of a model; a new one remembers nothing."""
        stored = storage.find(_key(model_id))
        return cls(told={}) if stored is None else cls.parse(storage.read(stored))

    def write(self, storage: Storage, model_id: str) -> None:
        """Keep it."""
        storage.put({_key(model_id): to_json(self, fallback=vars)})

    def before(self, stop: str) -> list[Signals]:
        """Give the signals of the windows that end before a time."""
        return [one for one in self.signals if moment(one.stop) < moment(stop)]

    def is_past(self, stop: str) -> bool:
        """Whether a later window was judged already."""
        return any(moment(one.stop) > moment(stop) for one in self.signals)

    def known(self, now: Signals) -> dict[str, str]:
        """Give what people know: what has not shown for some windows they may hear of again."""
        length = moment(now.stop) - moment(now.start)
        oldest = moment(now.stop) - _KNOWN * length
        return {item: shown for item, shown in self.told.items() if moment(shown) >= oldest}

    def with_window(self, now: Signals, policy: RetrainingPolicy) -> Self:
        """Remember a window, and forget those that no decision will count."""
        return self.replace(signals=recent(policy, self.before(now.stop), now))

    def with_deployment(self, now: Deployment | None) -> Self:
        """Remember a version unless it is the last one that was seen."""
        if now is None or self.deployments[-1:] == (now,):
            return self
        return self.replace(deployments=(*self.deployments, now)[-_DEPLOYMENTS:])


def claim(storage: Storage, model_id: str, name: str) -> str | None:
    """Take a run's messages upon oneself; None where another one of the same event did.

    Who fails afterwards gives the claim back by `release`, so that the next attempt can have it.
    """
    key = f"state/{model_id}/{name}.json"
    return key if storage.create(key, b"{}", JSON) else None


def release(storage: Storage, claims: Iterable[str]) -> None:
    """Give claims back."""
    storage.remove(claims)


def _key(model_id: str) -> str:
    return f"state/{model_id}.json"
