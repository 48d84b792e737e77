"""Captures and outcomes as they are stored in S3, of the rows of `tests.support.drifting`."""

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from functions.monitor.watched_model import WatchedModel
from sklambda.arrays import FloatMatrix
from sklambda.manifest import Manifest, ParityReport
from sklambda.package import ModelPackage
from sklambda.policy.watching import Watching
from sklambda.signature import Signature
from sklambda.sketch.baseline import Baseline
from sklambda.storage import Storage, hour_folder
from tests.support.drifting import SIGNATURE, answers

MODEL = "7b02a938"
NOON = datetime(2021, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

type Capture = dict[str, Any]


def package(signature: Signature = SIGNATURE, model: str = MODEL) -> ModelPackage:
    """Return a package of which only the signature and the id are used."""
    parity = ParityReport(rows={}, refused=0, labels=0, max_difference=0.0, tolerance=1e-9)
    manifest = Manifest(
        format=1,
        id=model,
        name="drifting",
        created="2021-11-22T10:00:00+00:00",
        task=signature.target.task,
        files={},
        size=0,
        libraries={},
        metrics={},
        gates={},
        parity=parity,
    )
    return ModelPackage(Path("none"), manifest, signature, b"", ())


def watched_model(
    storage: Storage, base: Baseline, watching: Watching | None = None
) -> WatchedModel:
    """Return the watched model of the rows of `tests.support.drifting`."""
    return WatchedModel(storage, package(), base, watching or Watching())


def rows(X: FloatMatrix, signature: Signature = SIGNATURE) -> Iterator[Capture]:
    """Write encoded rows, [N, K], as a client sends them."""
    names = [feature.vocabulary for feature in signature.features]
    for values in X.tolist():
        yield {
            feature.name: None if value != value else terms[int(value)] if terms else value
            for feature, terms, value in zip(signature.features, names, values, strict=True)
        }


def captured(X: FloatMatrix, start: int = 0) -> list[Capture]:
    """Return the captured predictions of rows; their ids are "a-" and a number from `start`."""
    scores, labels = answers(X)
    return [
        {
            "prediction_id": f"a-{start + place}",
            "features": row,
            "scores": score,
            "label": SIGNATURE.target.classes[label],
            "warnings": [],
        }
        for place, (row, score, label) in enumerate(
            zip(rows(X), scores.tolist(), labels[:, 0].tolist(), strict=True)
        )
    ]


def line(predictions: Sequence[Capture], **heading: str) -> bytes:
    """Write a line of a capture."""
    default = {"kind": "capture", "model": MODEL, "role": "champion", "mode": "raw"}
    return json.dumps(default | heading | {"records": list(predictions)}).encode() + b"\n"


def deliver(storage: Storage, at: datetime, lines: Iterable[bytes], name: str = "one") -> str:
    """Put lines into an hour; return the key."""
    key = f"captures/{hour_folder(at)}/{name}.gz"
    storage.put({key: gzip.compress(b"".join(lines), 1, mtime=0)})
    return key


def put_outcomes(
    storage: Storage, at: datetime, outcomes: Sequence[tuple[str, Any]], **members: Any
) -> None:
    """Put outcomes into an hour, as feedback does."""
    objects = {}
    for prediction, outcome in outcomes:
        document = {"prediction_id": prediction, "outcome": outcome, "time": at.isoformat()}
        key = f"outcomes/{hour_folder(at)}/{prediction}-{outcome}-{at:%M%S}.json"
        objects[key] = json.dumps(document | members).encode()
    storage.put(objects)


def drawn_outcomes(X: FloatMatrix, seed: int = 0) -> list[str]:
    """Draw the outcomes of rows with the probabilities of their scores."""
    probability = answers(X)[0][:, 1]
    drawn = np.random.default_rng(seed).random(len(X)) < probability
    return ["yes" if one else "no" for one in drawn]
