"""A package is written whole, over a package or over nothing."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sklambda.errors import PackageRefused
from sklambda.manifest import GoldenRow, ParityReport
from sklambda.package import EXPLAINER, GOLDEN, MANIFEST, SIGNATURE, ModelPackage
from sklambda.signature import Feature, Signature, Target
from tests.conftest import Trained
from tests.support.packages import facts
from training.errors import ConversionRefused, ParityFailed
from training.package_writer import _LATER, _stored, write


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


@pytest.mark.parametrize("mostly_missing", [False, True])
def test_mostly_missing_is_written_only_where_it_is_true(mostly_missing: bool) -> None:
    feature = Feature(name="amount", kind="number", nullable=True, mostly_missing=mostly_missing)

    assert ("mostly_missing" in _stored(feature)) is mostly_missing


@pytest.mark.parametrize("label_by", [None, "decision"])
def test_what_the_label_follows_is_written_only_where_it_is_no_score(label_by: Any) -> None:
    written = _stored(Target(task="binary", classes=("no", "yes"), label_by=label_by))

    assert isinstance(written, dict)
    assert ("label_by" in written) == (label_by is not None)


def test_a_package_without_a_use_for_later_members_is_one_that_older_readers_know(
    churn: Trained,
) -> None:
    manifest, signature = (
        json.loads((churn.package / name).read_text()) for name in (MANIFEST, SIGNATURE)
    )
    golden = map(json.loads, (churn.package / GOLDEN).read_text().splitlines())
    written = {
        Signature: [signature],
        Target: [signature["target"]],
        Feature: signature["features"],
        ParityReport: [manifest["parity"]],
        GoldenRow: [*golden],
    }

    assert written.keys() == _LATER.keys()
    for kind, later in _LATER.items():
        assert [members for members in written[kind] if members.keys() & set(later)] == []


def test_a_later_member_is_written_where_it_says_something() -> None:
    parity = ParityReport(
        rows={}, refused=0, labels=0, max_difference=0.0, tolerance=1e-6, single_precision=0.0
    )

    assert _stored(parity)["single_precision"] == 0.0
