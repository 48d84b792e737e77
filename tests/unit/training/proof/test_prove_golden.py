"""Golden rows are the same everywhere, or say how far they may be off."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from sklambda.codec.codec import Codec
from sklambda.decision import TOLERANCE, decided
from sklambda.manifest import GoldenRow
from sklambda.package import ModelPackage
from sklambda.predictor import Predictor
from tests.support import kinds
from tests.support.families import fitted
from tests.support.proof import FEW, classes, numbers, values
from training.exporter import export
from training.frames import kinds_of
from training.proof.adversary import Case
from training.proof.conversion import Conversion
from training.proof.prove import golden_rows


def kept(pipeline: Any, frame: pd.DataFrame) -> tuple[list[GoldenRow], list[Case], Any]:
    conversion = Conversion(pipeline, frame, kinds_of(frame))
    model, signature = conversion.convert()
    cases = conversion.cases(model, signature)
    equality = conversion.equality(model, signature)
    return golden_rows(conversion, signature, cases, equality), cases, signature.target


def duels(rows: int = 200) -> tuple[pd.DataFrame, Any]:
    """Make duels of which each fifth is one of equals, whose probabilities are equal."""
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"one": generator.integers(0, 9, rows).astype(float)})
    frame["other"] = generator.integers(0, 9, rows).astype(float)
    frame.loc[::5, "other"] = frame.loc[::5, "one"]
    won = (frame["one"] - frame["other"] + generator.normal(0, 2, rows)) > 0
    mirrored = frame.rename(columns={"one": "other", "other": "one"})
    return pd.concat([frame, mirrored], ignore_index=True), [*won, *~won]


def test_a_row_whose_label_hangs_on_rounding_is_not_kept() -> None:
    frame, won = duels()
    model = LogisticRegression(fit_intercept=False, solver="newton-cholesky").fit(frame, won)

    golden, _, target = kept(model, frame)

    scores = np.array([row.scores for row in golden])
    assert len(golden) == 64
    assert decided(target, scores, np.full_like(scores, 1e-6)).all()


def test_the_others_stay_where_they_are() -> None:
    """What is chosen depends on the rows alone as long as none of those chosen is passed over."""
    frame, won = duels()
    firm = make_pipeline(StandardScaler(), LogisticRegression()).fit(numbers(), classes(2))
    loose = LogisticRegression(fit_intercept=False, solver="newton-cholesky").fit(frame, won)

    for model, rows in ((firm, numbers()), (loose, frame)):
        golden, cases, _ = kept(model, rows)
        generator = np.random.default_rng(0)
        real = [case.name for case in cases if case.group == "data"]
        first = {real[place] for place in generator.choice(len(real), 32, replace=False)}
        mine = {row.name for row in golden[:32]}
        assert len(mine & first) == (32 if model is firm else 32 - len(first - mine))
        assert (mine == first) == (model is firm)


def test_rows_that_are_all_undecided_are_kept_for_their_scores() -> None:
    frame = pd.DataFrame({"x": [0.0, 1.0] * 40, "z": [0.0, 0.0, 1.0, 1.0] * 20})
    model = LogisticRegression().fit(frame, [0, 0, 0, 0, 1, 1, 1, 1] * 10)

    golden, _, _ = kept(model, frame)

    assert len(golden) > 32
    assert {row.tolerance for row in golden} == {None}


@pytest.mark.filterwarnings("ignore:An ill-conditioned matrix")
def test_rows_of_large_terms_say_how_far_they_may_be_off(tmp_path: Path) -> None:
    frame = numbers(rows=100)
    model = make_pipeline(PolynomialFeatures(3), Ridge()).fit(frame, values(1, 100))

    export(model, frame, out=tmp_path / "package", name="cubes", time_limit=None)

    package = ModelPackage.open(tmp_path / "package")
    tolerances = [row.tolerance for row in package.golden]
    assert len(tolerances) > 32
    assert all(tolerance is None or TOLERANCE < tolerance < 1e-3 for tolerance in tolerances)
    assert any(tolerances)
    assert Predictor(package).replay() is None


def test_a_usual_tolerance_is_not_written(tmp_path: Path) -> None:
    frame = numbers(rows=50)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, classes(2, 50))

    export(model, frame, out=tmp_path / "package", name="small", time_limit=None)

    assert "tolerance" not in (tmp_path / "package/golden.jsonl").read_text()


@pytest.mark.parametrize("family", ["linear", "forest"])
@pytest.mark.parametrize("kind", ["small integers alone", "no decimals"])
@pytest.mark.parametrize("seed", range(2))
def test_golden_rows_are_rows_that_both_sides_score(kind: str, family: str, seed: int) -> None:
    """scikit-learn scores whole numbers beyond 2^53, which the codec refuses."""
    table = kinds.table(kind, seed=seed)
    model = fitted(family, table)
    conversion = Conversion(model, table.frame, kinds_of(table.frame))
    graph, signature = conversion.convert()
    cases = conversion.cases(graph, signature, budget=FEW)

    edges = [case for case in cases if case.group != "data"]
    golden = golden_rows(conversion, signature, edges, conversion.equality(graph, signature))

    assert golden
    Codec(signature).encode([row.row for row in golden])  # raises where it refuses one
