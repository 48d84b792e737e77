"""A record of a share of the predictions: one log line a request, for monitoring to read."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

import numpy as np
from pydantic_core import to_json

from functions.predict.model import Question, Reply
from functions.predict.observe.sampling import chosen
from sklambda.arrays import FloatMatrix
from sklambda.codec.codec import Row
from sklambda.decision import Prediction
from sklambda.errors import SettingsInvalid
from sklambda.signature import Feature, Signature
from sklambda.sketch.ruler import TENTHS, equal_parts
from sklambda.telemetry import Write

MOST_BYTES: Final = 256_000
"""A little under the 256 KiB after which Lambda breaks a line in two."""


def record(members: Mapping[str, Any]) -> bytes:
    """Write a record as JSON: what is not finite is null, what has no JSON is text."""
    return to_json(members, inf_nan_mode="null", bytes_mode="base64", serialize_unknown=True)


def lines(heading: Mapping[str, Any], records: Iterable[bytes]) -> Iterator[bytes]:
    """Put records under a heading, in the fewest lines that are short enough.

    A record that alone is too long for a line is left out.
    """
    head = record(heading)[:-1] + b',"records":['
    room = MOST_BYTES - len(head) - len(b"]}")
    batch: list[bytes] = []
    size = 0
    for one in records:
        if len(one) > room:
            continue
        if size + len(one) > room:
            yield head + b",".join(batch) + b"]}"
            batch, size = [], 0
        batch.append(one)
        size += len(one) + 1
    if batch:
        yield head + b",".join(batch) + b"]}"


PARTS: Final = TENTHS
"""Into how many equal parts the range of training is cut where features are binned."""

type Features = Mapping[str, object]


class Capture:
    """A listener that writes down what was asked and answered.

    Parameters
    ----------
    signature : Signature
        Knows the features and their ranges.
    mode : {"raw", "binned"}
        Whether features are recorded as they were sent, or only to the part of their range.
    share : float
        The share of the predictions that are recorded.
    redacted : sequence of str
        Features that are never recorded, nor what is noted of them.
    write : callable
        Writes a line.
    now : callable
        Gives the moment.

    Raises
    ------
    SettingsInvalid
        A feature to redact is none of the model's: a slip there would record it.
    """

    def __init__(
        self,
        signature: Signature,
        mode: Literal["raw", "binned"],
        share: float,
        redacted: Sequence[str],
        write: Write,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        strangers = set(redacted) - set(signature.names)
        if strangers:
            raise SettingsInvalid(f"REDACT names {min(strangers)!r}, which is no feature")
        self._mode, self._share, self._write, self._now = mode, share, write, now
        kept = [feature for feature in signature.features if feature.name not in redacted]
        self._names = frozenset(feature.name for feature in kept)
        self._bins = _Bins(signature, kept)

    def __call__(self, question: Question, reply: Reply) -> None:
        """Write the record of each prediction that belongs to the share."""
        named = map(question.caller.prediction_id, range(len(reply.predictions)))
        names = {k: name for k, name in enumerate(named) if chosen(name, self._share, "capture")}
        if not names:
            return
        heading = {
            "kind": "capture",
            "time": self._now().isoformat(timespec="milliseconds"),
            "request_id": question.caller.request_id,
            "model": reply.model.id,
            "role": reply.model.role,
            "mode": self._mode,
        }
        for line in lines(heading, self._records(question, reply, names)):
            self._write(line)

    def _records(
        self, question: Question, reply: Reply, names: Mapping[int, str]
    ) -> Iterator[bytes]:
        features = self._features(question, reply, list(names))
        for (place, name), shown in zip(names.items(), features, strict=True):
            cautions = reply.cautions[place]
            yield record(
                {
                    "prediction_id": name,
                    "features": shown,
                    "scores": reply.scores[place].tolist(),
                    "label": _label(reply.predictions[place]),
                    "warnings": [
                        {"feature": one.feature, "code": one.code}
                        for one in cautions
                        if one.feature in self._names
                    ],
                }
            )

    def _features(self, question: Question, reply: Reply, places: list[int]) -> Iterator[Features]:
        if self._mode == "binned":
            return self._bins.of(reply.X[places])
        return map(self._raw, [question.rows[place] for place in places])

    def _raw(self, row: Row) -> Features:
        """Leave out what is redacted, and the row's id, which is no feature."""
        if row.keys() <= self._names:
            return row
        return {name: value for name, value in row.items() if name in self._names}


def _label(prediction: Prediction) -> object:
    if prediction.targets is None:
        return prediction.label
    return {name: members.get("label") for name, members in prediction.targets.items()}


class _Bins:
    """Cuts each number to the part of the range of training that it lies in.

    From 0 to `PARTS` - 1, one less below the range and one more above it. Codes of categories
    and booleans stay as they are; texts, and numbers without a range, are left out.
    """

    def __init__(self, signature: Signature, kept: Sequence[Feature]) -> None:
        order = {name: column for column, name in enumerate(signature.names)}
        shown = [one for one in kept if one.kind in ("category", "boolean") or _wide(one)]
        self._names = [feature.name for feature in shown]
        self._columns = [order[name] for name in self._names]
        ruler = [_ruler(feature) for feature in shown]
        self._low, self._width, self._last = np.array(ruler).reshape(-1, 3).T

    def of(self, X: FloatMatrix) -> Iterator[Features]:
        """Give the bins of encoded rows, [N, K] float64."""
        bins = equal_parts(X[:, self._columns], self._low, self._width, self._last)
        for row in bins.tolist():
            yield {
                name: int(code) if code == code else None
                for name, code in zip(self._names, row, strict=True)
            }


def _wide(feature: Feature) -> bool:
    return feature.span is not None and feature.span[0] < feature.span[1]


def _ruler(feature: Feature) -> tuple[float, float, float]:
    """Give where the parts begin, how wide one is, and where the last one ends."""
    if feature.kind in ("category", "boolean") or feature.span is None:
        return 0.0, 1.0, np.inf
    low, high = feature.span
    return low, (high - low) / PARTS, PARTS
