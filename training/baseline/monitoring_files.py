"""What monitoring needs of training: the baseline, and of a regressor the model of its errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from sklambda.arrays import FloatMatrix, IntVector
from sklambda.codec.codec import Codec
from sklambda.decision import choose
from sklambda.errors import RowsInvalid
from sklambda.package import BASELINE, ERROR_MODEL
from sklambda.policy.watching import Watching
from sklambda.session import Session
from sklambda.signature import Signature, Target
from sklambda.sketch.baseline import Baseline
from sklambda.sketch.sketch import to_json
from sklambda.sketch.watched_scores import scored
from training.baseline.attribution import weights
from training.baseline.baseline import HeldOut, baseline
from training.baseline.error_model import FEWEST, Errors, model_errors
from training.frames import client_rows
from training.metrics import Measured, Metric, Plan, measure
from training.targets import encode_outcomes

_SEED: Final = 0
_FEWEST: Final = 1000
_NUMBERS: Final = 2**25
"""How many numbers the encoded rows hold at most: of more rows some are drawn."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a model beside its graph.

    Attributes
    ----------
    learnt : DataFrame
        Shape [N, F]: the rows that it was fitted on.
    held_out : DataFrame or None
        Shape [M, F]: rows that it was not.
    outcomes : DataFrame or None
        Shape [M, L]: what became true of them, a column for each target or value.
    measured : Measured or None
        What was measured on them already.
    plan : Plan
        How metrics are measured where there are none of the scores that are served.
    watching : Watching
        What the monitor looks at.
    """

    learnt: pd.DataFrame
    held_out: pd.DataFrame | None
    outcomes: pd.DataFrame | None
    measured: Measured | None
    plan: Plan
    watching: Watching


def monitoring_files(
    known: Known, model: bytes, signature: Signature, explainer: bytes
) -> tuple[dict[str, bytes], Mapping[str, Metric]]:
    """Make the files with which a package is monitored.

    Returns
    -------
    tuple of dict of str to bytes, and mapping of str to Metric
        The files by name, and the metrics on held-out rows: empty where no outcome is known.

    Raises
    ------
    DataError
        An outcome is none that the model could give.
    """
    session = Session(model)
    X, _ = _encoded(signature, known.learnt)
    rows, true = _held_out(signature, known)
    apart = len(rows) > 0
    if not apart:
        rows, true = X, np.empty((len(X), 0))
    scores = session.run(rows)
    finite = np.isfinite(scores).all(axis=1)
    rows, scores, true = rows[finite], scores[finite], true[finite]
    target, labels = signature.target, choose(signature.target, scores)
    metrics: Mapping[str, Metric] = {}
    if known.measured is not None and known.measured.scores == target.scores:
        metrics = known.measured.metrics
    elif true.shape[1]:
        metrics = measure(target, scores, labels, true, known.plan)
    positions = labels if target.task == "regression" else true.astype(np.intp)
    intervals = {name: metric.interval() for name, metric in metrics.items()}
    held_out = HeldOut(scores, labels, positions, intervals)
    found = baseline(signature, X, held_out, weights(signature, session, explainer, rows))
    found = found.replace(held_out=len(rows) if apart else 0, watching=known.watching)
    return _written(found, target, _errors(target, rows, scores, true)), metrics


def _written(found: Baseline, target: Target, errors: Errors | None) -> dict[str, bytes]:
    if errors is None:
        return {BASELINE: to_json(found)}
    names = [one.name for one in scored(target)]
    found = found.replace(errors=dict(zip(names, errors.references, strict=True)))
    return {BASELINE: to_json(found), ERROR_MODEL: errors.model}


def _encoded(signature: Signature, frame: pd.DataFrame) -> tuple[FloatMatrix, IntVector]:
    """Encode the rows that the model accepts, or some of them; gives them and their places."""
    most = max(_FEWEST, _NUMBERS // signature.width)
    places = np.sort(np.random.default_rng(_SEED).permutation(len(frame))[:most])
    rows = client_rows(frame.iloc[places], signature.kinds)
    codec = Codec(signature)
    try:
        return codec.encode(rows), places
    except RowsInvalid as invalid:
        refused = {fault.row for fault in invalid.faults}
    kept = [place for place in range(len(rows)) if place not in refused]
    if not kept:
        return np.empty((0, signature.width)), places[:0]
    return codec.encode([rows[place] for place in kept]), places[kept]


def _held_out(signature: Signature, known: Known) -> tuple[FloatMatrix, FloatMatrix]:
    """Encode the rows held out; gives them and what was true, as positions or values."""
    if known.held_out is None:
        return np.empty((0, signature.width)), np.empty((0, 0))
    X, places = _encoded(signature, known.held_out)
    if known.outcomes is None:
        return X, np.empty((len(X), 0))
    return X, encode_outcomes(signature.target, known.outcomes)[places]


def _errors(
    target: Target, X: FloatMatrix, values: FloatMatrix, true: FloatMatrix
) -> Errors | None:
    if target.task != "regression" or not true.shape[1] or len(X) < FEWEST:
        return None
    return model_errors(X, np.abs(values - true))
