"""An explanation is of the answer that is shown, adds up, and says on which scale it is."""

import io
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklambda.errors import PackageRefused
from sklambda.explain.explainer import Explainer
from sklambda.package import EXPLAINER, ModelPackage
from sklambda.predictor import Predictor
from sklambda.session import Session
from sklambda.signature import Signature
from tests.conftest import Trained
from tests.support.explaining import Explained, explained
from tests.support.proof import classes, numbers, values
from training.explain import explainer_file
from training.frames import kinds_of
from training.package_writer import Facts, write
from training.proof.conversion import Conversion

OF_EXPLANATIONS = {
    "sklambda.explain.closed_form",
    "sklambda.explain.explainer",
    "sklambda.explain.kernel",
    "sklambda.explain.trees",
}


def made(frame: pd.DataFrame) -> tuple[bytes, Signature]:
    estimator = LogisticRegression().fit(frame, classes(2))
    return Conversion(estimator, frame, kinds_of(frame)).convert()


@pytest.fixture(scope="module")
def histogram() -> Explained:
    frame = numbers(missing=True)
    model = HistGradientBoostingClassifier(max_iter=8, random_state=0)
    return explained(model.fit(frame, classes(2)), frame)


def test_the_value_gives_the_score_through_its_link(histogram: Explained) -> None:
    row = histogram.rows[:1]

    [explanation] = histogram.explainer.explain(row)

    assert explanation.scale == "log-odds"
    assert 1 / (1 + np.exp(-explanation.value)) == pytest.approx(
        histogram.session.run(row)[0, 1], abs=1e-12
    )
    assert explanation.base + sum(explanation.contributions.values()) == explanation.value
    assert explanation.evaluations == 1


def test_the_two_classes_are_each_others_opposite(histogram: Explained) -> None:
    first, second = histogram.explainer.explain_all(histogram.rows[:1])

    assert [first.answer, second.answer] == [0, 1]
    assert first.value == pytest.approx(-second.value, abs=1e-12)
    assert second == histogram.explainer.explain(histogram.rows[:1])[0]


def test_of_several_classes_the_labels_is_explained() -> None:
    frame = numbers()
    model = RandomForestClassifier(8, random_state=0).fit(frame, classes(3))
    found = explained(model, frame)

    for row in found.rows[:10]:
        [explanation] = found.explainer.explain(row[None])
        scores = found.session.run(row[None])[0]
        assert explanation.answer == model.classes_[scores.argmax()]
        assert explanation.value == pytest.approx(scores.max(), abs=1e-12)


def test_the_cluster_of_the_row_is_explained() -> None:
    frame = numbers()
    model = make_pipeline(StandardScaler(), KMeans(2, random_state=0, n_init=1)).fit(frame)
    found = explained(model, frame)

    for row, label in zip(found.rows[:10], model.predict(frame[:10]), strict=True):
        [explanation] = found.explainer.explain(row[None], coalitions=16)
        assert explanation.answer == label
        assert explanation.value == 1.0
        assert explanation.scale == "label"


def test_where_sums_lose_their_digits_the_scores_themselves_are_asked() -> None:
    frame = numbers()[["grid", "skewed"]]
    found = explained(LinearRegression().fit(frame, values()), frame)
    assert found.explainer.exact is not None
    off = replace(found.explainer.exact, base=found.explainer.exact.base + 1e-6)
    explainer = Explainer(found.explainer.background, off, None, found.session, found.signature)

    [explanation] = explainer.explain(found.rows[:1])

    assert explanation.method == "kernel"
    assert explanation.value == pytest.approx(found.session.run(found.rows[:1])[0, 0])


def test_the_same_model_gives_the_same_file() -> None:
    frame = numbers()
    model, signature = made(frame)

    assert explainer_file(model, signature, frame) == explainer_file(model, signature, frame)


def test_a_package_carries_its_explainer(churn: Trained) -> None:
    package = ModelPackage.open(churn.package)
    assert package.explainer is not None

    explainer = Explainer.open(package.explainer, Session(package.model), package.signature)

    assert EXPLAINER in package.manifest.files
    assert explainer.reason is None


def test_a_package_may_do_without_one(churn: Trained, tmp_path: Path) -> None:
    whole = ModelPackage.open(churn.package)
    facts = Facts("churn", "2026-01-01", {}, whole.manifest.parity, {}, {})

    plain = write(tmp_path / "package", whole.model, whole.signature, whole.golden, facts)

    assert plain.explainer is None
    assert EXPLAINER not in plain.manifest.files
    assert plain.manifest.id != whole.manifest.id


def test_a_damaged_file_stops_explanations_and_nothing_else(churn: Trained, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(churn.package, tmp_path / "package"))
    (copy / EXPLAINER).write_bytes(b"other")

    package = ModelPackage.open(copy)

    assert Predictor(package).replay() is None
    with pytest.raises(PackageRefused, match="does not match its SHA-256 in the manifest"):
        _ = package.explainer


def test_predictions_import_nothing_of_it() -> None:
    script = "import sys, sklambda.predictor; print(*sys.modules)"

    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True
    )

    assert not OF_EXPLANATIONS & set(run.stdout.split())


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive"])
def test_other_bytes_are_refused(histogram: Explained, content: bytes) -> None:
    with pytest.raises(PackageRefused, match="not a valid explainer"):
        Explainer.open(content, histogram.session, histogram.signature)


def test_a_pickle_is_refused(histogram: Explained) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, background=np.array([object()]), allow_pickle=True)

    with pytest.raises(PackageRefused, match="not a valid explainer"):
        Explainer.open(buffer.getvalue(), histogram.session, histogram.signature)


def test_the_file_of_another_model_is_refused(histogram: Explained) -> None:
    frame = numbers()[["grid", "skewed"]]
    model, signature = made(frame)

    with pytest.raises(PackageRefused, match="another model"):
        Explainer.open(
            explainer_file(model, signature, frame), histogram.session, histogram.signature
        )
