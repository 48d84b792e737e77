"""Captures a share of the predictions for monitoring, in one log line a request."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

import pydantic_core

from functions.predict.model import PredictionRequest, PredictionResponse
from functions.predict.observe.disclosure import BinTable, Disclosure, sample
from sklambda.arrays import FloatMatrix
from sklambda.codec.codec import Row
from sklambda.decision import Prediction
from sklambda.prediction_ids import row_digest
from sklambda.signature import Signature
from sklambda.telemetry import Write

MAX_LINE_BYTES: Final = 256_000
"""A little under the 256 KiB above which Lambda breaks a line."""

type Features = Mapping[str, object]


class Capture:
    """A listener that logs captured predictions: features, scores, label and warnings.

    Parameters
    ----------
    signature : Signature
        The features and their ranges.
    mode : {"raw", "binned"}
        Whether features are captured as they were sent, or only by their bin.
    share : float
        Share of the predictions that are captured.
    redacted : sequence of str
        Features that are never captured, nor the warnings about them.
    write : callable
        Writes a line.
    now : callable
        Returns the current time.
    disclosure : Disclosure, optional
        What captures tell; required to bin features.
    with_rows : bool
        Whether the digest of the client's row id is captured, by which feedback may name it.
    """

    def __init__(
        self,
        signature: Signature,
        mode: Literal["raw", "binned"],
        share: float,
        redacted: Sequence[str],
        write: Write,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        disclosure: Disclosure | None = None,
        with_rows: bool = False,
    ) -> None:
        row_id = signature.row_id
        self._mode, self._share, self._write, self._now = mode, share, write, now
        self._names = frozenset(signature.names) - set(redacted)
        self._bins = None if disclosure is None else disclosure.bins
        self._row_id, self._with_rows = row_id, with_rows and row_id not in redacted

    def __call__(self, request: PredictionRequest, response: PredictionResponse) -> None:
        """Write the captures of the predictions in the sample."""
        caller, sampled = request.caller, sample(request, response, self._share)
        if not sampled:
            return
        heading = {
            "kind": "capture",
            "time": self._now().isoformat(timespec="milliseconds"),
            "request_id": caller.request_id,
            "name": response.model.name,
            "model": response.model.id,
            "role": response.model.role,
            "mode": self._mode,
        }
        for line in pack_lines(heading, self._captures(request, response, sampled)):
            self._write(line)

    def _captures(
        self, request: PredictionRequest, response: PredictionResponse, ids: Mapping[int, str]
    ) -> Iterator[bytes]:
        for (k, name), features in zip(
            ids.items(), self._features(request, response, list(ids)), strict=True
        ):
            yield to_json(
                {
                    "prediction_id": name,
                    **self._row(request, k),
                    "features": features,
                    "scores": response.scores[k].tolist(),
                    "label": _label(response.predictions[k]),
                    "warnings": [
                        {"feature": each.feature, "code": each.code}
                        for each in response.warnings[k]
                        if each.feature in self._names
                    ],
                }
            )

    def _row(self, request: PredictionRequest, place: int) -> Mapping[str, str]:
        """Return the digest of the client's id of a row, if there is one and it is wanted."""
        if not self._with_rows:
            return {}
        ids, row = request.row_ids, request.rows[place]
        digest = row_digest(ids[place] if ids else row.get(self._row_id or ""))
        return {} if digest is None else {"row": digest}

    def _features(
        self, request: PredictionRequest, response: PredictionResponse, rows: list[int]
    ) -> Iterator[Features]:
        if self._bins is not None:
            return _binned(self._bins, response.X[rows])
        return map(self._raw, [request.rows[k] for k in rows])

    def _raw(self, row: Row) -> Features:
        """Return a row without redacted features and without its id, which is no feature."""
        if row.keys() <= self._names:
            return row
        return {name: value for name, value in row.items() if name in self._names}


def _label(prediction: Prediction) -> object:
    if prediction.targets is None:
        return prediction.label
    return {name: members.get("label") for name, members in prediction.targets.items()}


def _binned(bins: BinTable, X: FloatMatrix) -> Iterator[Features]:
    """Return the bins of encoded rows, [N, K]; texts, and numbers without a range, are left out."""
    for row in bins.of(X).tolist():
        yield {
            name: int(code) if code == code else None
            for name, code in zip(bins.names, row, strict=True)
        }


def to_json(members: Mapping[str, Any]) -> bytes:
    """Write JSON; a number that is not finite becomes null, a value without JSON becomes text."""
    return pydantic_core.to_json(
        members, inf_nan_mode="null", bytes_mode="base64", serialize_unknown=True
    )


def pack_lines(heading: Mapping[str, Any], items: Iterable[bytes]) -> Iterator[bytes]:
    """Pack JSON items under a heading, in the fewest lines of at most `MAX_LINE_BYTES`.

    An item that is longer than a line is left out.
    """
    head = to_json(heading)[:-1] + b',"records":['
    room = MAX_LINE_BYTES - len(head) - len(b"]}")
    batch: list[bytes] = []
    size = 0
    for item in items:
        if len(item) > room:
            continue
        if size + len(item) > room:
            yield head + b",".join(batch) + b"]}"
            batch, size = [], 0
        batch.append(item)
        size += len(item) + 1
    if batch:
        yield head + b",".join(batch) + b"]}"
