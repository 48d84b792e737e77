"""Captures and outcomes as they lie in S3, of the rows of `tests.support.drifting`."""

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from functions.monitor.watched_model import Subject
from sklambda.arrays import FloatMatrix
from sklambda.manifest import Manifest, ParityReport
from sklambda.package import ModelPackage
from sklambda.policy.watching import Watching
from sklambda.signature import Signature
from sklambda.sketch.baseline import Baseline
from sklambda.storage import Storage, hour
from tests.support.drifting import SIGNATURE, answers

MODEL = "7b02a938"
NOON = datetime(2021, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

type Record = dict[str, Any]


def package(signature: Signature = SIGNATURE, model: str = MODEL) -> ModelPackage:
    """Make a package of which only the signature and the id are looked at."""
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


def subject(records: Storage, base: Baseline, watching: Watching | None = None) -> Subject:
    """Make what is watched of the rows of `tests.support.drifting`."""
    return Subject(records, package(), base, watching or Watching())


def rows(X: FloatMatrix, signature: Signature = SIGNATURE) -> Iterator[Record]:
    """Write encoded rows, [N, K], as a client sends them."""
    names = [feature.vocabulary for feature in signature.features]
    for values in X.tolist():
        yield {
            feature.name: None if value != value else known[int(value)] if known else value
            for feature, known, value in zip(signature.features, names, values, strict=True)
        }


def taken(X: FloatMatrix, start: int = 0) -> list[Record]:
    """Make the records of rows: their ids are "a-" and a number from `start`."""
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


def line(records: Sequence[Record], **heading: str) -> bytes:
    """Write a line of a capture."""
    known = {"kind": "capture", "model": MODEL, "role": "champion", "mode": "raw"}
    return json.dumps(known | heading | {"records": list(records)}).encode() + b"\n"


def deliver(records: Storage, at: datetime, lines: Iterable[bytes], name: str = "one") -> str:
    """Put lines into an hour; gives the key."""
    key = f"captures/{hour(at)}/{name}.gz"
    records.put({key: gzip.compress(b"".join(lines), 1, mtime=0)})
    return key


def tell(
    records: Storage, at: datetime, outcomes: Sequence[tuple[str, Any]], **members: Any
) -> None:
    """Put outcomes into an hour, as feedback does."""
    objects = {}
    for prediction, outcome in outcomes:
        record = {"prediction_id": prediction, "outcome": outcome, "time": at.isoformat()}
        key = f"outcomes/{hour(at)}/{prediction}-{outcome}.json"
        objects[key] = json.dumps(record | members).encode()
    records.put(objects)


def drawn_truth(X: FloatMatrix, seed: int = 0) -> list[str]:
    """Draw what became true of rows by the chance that their scores name."""
    chance = answers(X)[0][:, 1]
    return ["yes" if one else "no" for one in np.random.default_rng(seed).random(len(X)) < chance]
