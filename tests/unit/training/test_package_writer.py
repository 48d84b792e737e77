"""A package is written whole, over a package or over nothing."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from sklambda.errors import PackageRefused
from sklambda.manifest import GoldenRow
from sklambda.package import EXPLAINER, ModelPackage
from sklambda.signature import Feature, Signature, Target
from tests.conftest import Trained
from tests.support.packages import facts
from training.errors import ConversionRefused, ParityFailed
from training.package_writer import _stored, write


def test_nothing_but_a_package_is_ever_replaced(churn: Trained, tmp_path: Path) -> None:
    whole = ModelPackage.open(churn.package)
    (tmp_path / "thesis.tex").write_text("years of work")

    with pytest.raises(PackageRefused, match="not a model package"):
        write(tmp_path, whole.model, whole.signature, whole.golden, facts(whole))

    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_package_replaces_another_and_leaves_nothing_beside_it(
    churn: Trained, tmp_path: Path
) -> None:
    package = Path(shutil.copytree(churn.package, tmp_path / "package"))
    whole = ModelPackage.open(churn.package)
    fewer = whole.golden[:3]

    written = write(package, whole.model, whole.signature, fewer, facts(whole))

    assert written.golden == fewer
    assert written.manifest.id != whole.manifest.id
    assert [path.name for path in package.parent.iterdir()] == [package.name]


def test_a_package_that_could_not_be_served_is_refused_and_the_old_one_stays(
    churn: Trained, tmp_path: Path
) -> None:
    package = Path(shutil.copytree(churn.package, tmp_path / "package"))
    whole = ModelPackage.open(churn.package)
    first = whole.golden[0]
    odd = GoldenRow(
        name="too large",
        row=first.row | {"tenure": 2**53 + 1},
        scores=first.scores,
        labels=first.labels,
    )

    with pytest.raises(ConversionRefused) as refused:
        write(package, whole.model, whole.signature, [first, odd], facts(whole))

    sentence = f"{package / 'golden.jsonl'}: golden row 'too large': tenure must not exceed 2^53"
    assert sentence in str(refused.value)
    assert ModelPackage.open(package).manifest.id == whole.manifest.id
    assert [path.name for path in tmp_path.iterdir()] == [package.name]


def test_a_package_with_other_scores_is_refused(churn: Trained, tmp_path: Path) -> None:
    whole = ModelPackage.open(churn.package)
    wrong = GoldenRow(name="odd", row=whole.golden[0].row, scores=(0.5, 0.5), labels=("No",))

    with pytest.raises(ParityFailed, match="golden rows: odd: the scores differ"):
        write(tmp_path / "p", whole.model, whole.signature, [wrong], facts(whole))

    assert [*tmp_path.iterdir()] == []


def test_an_explainer_of_another_model_is_refused_before_it_is_published(
    churn: Trained, tmp_path: Path
) -> None:
    whole = ModelPackage.open(churn.package)
    broken = {EXPLAINER: b"no arrays"}

    with pytest.raises(ConversionRefused, match=r"it could not be served: explainer\.npz"):
        write(tmp_path / "p", whole.model, whole.signature, whole.golden, facts(whole), broken)

    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("label_by", [None, "decision"])
def test_what_the_label_follows_is_written_only_where_it_is_no_score(label_by: Any) -> None:
    target = Target(task="binary", classes=("no", "yes"), label_by=label_by)
    feature = Feature(name="x", kind="number", nullable=False)

    written = _stored(Signature(features=(feature,), target=target))["target"]

    assert isinstance(written, dict)
    assert ("label_by" in written) == (label_by is not None)
