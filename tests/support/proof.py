"""A fitted estimator put through the whole gate, and data that is hard on a conversion."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklambda.codec.codec import Codec
from sklambda.manifest import ParityReport
from training.frames import kinds_of
from training.proof.adversary import FULL, Budget
from training.proof.conversion import Conversion
from training.proof.parity import Candidate

ROWS = 300
FEW = Budget(rows=6_000, spread=2, least_spread=2, quantiles=9, near_ties=400)


def prove(
    estimator: Any, frame: pd.DataFrame, *, rounds: bool = False, full: bool = False
) -> ParityReport:
    """Convert a fitted estimator and compare it with scikit-learn on adversarial rows.

    Unless it `rounds`, scores differ by 1e-9 at most, and labels that depend on rounding are
    scikit-learn's too, but at the decision surface. Rows at boundaries and there are few, unless
    the budget is the gate's `full` one.
    """
    conversion = Conversion(estimator, frame, kinds_of(frame))
    model, signature = conversion.convert()
    cases = conversion.cases(model, signature, budget=FULL if full else FEW)
    report = conversion.prove(model, signature, cases)
    if rounds:
        return report
    assert report.widened == 0
    if report.undecidable:
        rows = [case.row for case in cases if case.group != "surface"]
        found = Candidate(signature, Codec(signature), model).predict(rows)
        expected = conversion.reference(signature.target).predict(rows)
        both = ~(found.refused | expected.refused)
        np.testing.assert_array_equal(found.labels[both], expected.labels[both])
    return report


def numbers(missing: bool = False, rows: int = ROWS) -> pd.DataFrame:
    """Make columns of numbers: on a grid, large, tiny, skewed, whole, and one that is constant."""
    generator = np.random.default_rng(17)
    frame = pd.DataFrame(
        {
            "grid": np.round(generator.normal(size=rows), 1),
            "large": generator.normal(1e7, 1e6, rows),
            "tiny": generator.normal(0, 1e-4, rows),
            "skewed": generator.lognormal(0, 1, rows),
            "whole": generator.integers(0, 12, rows),
            "constant": np.full(rows, 2.5),
        }
    )
    if missing:
        for name in ("grid", "large", "skewed"):
            frame.loc[generator.random(rows) < 0.08, name] = np.nan
    return frame


def mixed(missing: bool = True, rows: int = ROWS) -> pd.DataFrame:
    """Make numbers beside categories, some of them odd."""
    generator = np.random.default_rng(18)
    frame = numbers(missing, rows)[["grid", "skewed", "whole"]].assign(
        colour=generator.choice(["red", "green", "blue", "nan", ""], rows),
        plan=generator.choice(["a", "b"], rows),
    )
    if missing:
        frame.loc[generator.random(rows) < 0.08, "colour"] = np.nan
    return frame


def classes(count: int, rows: int = ROWS) -> NDArray[Any]:
    """Make labels that depend a little on `numbers`; more than two are strings."""
    frame = numbers(rows=rows)
    noise = np.random.default_rng(19).normal(size=rows)
    codes = pd.qcut(frame["grid"] + frame["whole"] / 4 + noise, count, labels=False).to_numpy()
    names = np.array(["no", "yes", "perhaps", "later"], dtype=object)
    return codes if count == 2 else names[codes]


def values(outputs: int = 1, rows: int = ROWS) -> NDArray[np.float64]:
    """Make a target, [N] or [N, outputs], that depends on `numbers`; all above 0."""
    frame = numbers(rows=rows)
    noise = np.random.default_rng(20).gamma(2, 1, (rows, outputs))
    signal = np.abs(frame["grid"].to_numpy() + frame["whole"].to_numpy())
    target: NDArray[np.float64] = signal[:, None] + noise
    return target[:, 0] if outputs == 1 else target
