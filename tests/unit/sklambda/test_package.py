"""A package is whole, or it is refused with one sentence."""

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import to_json

from sklambda.errors import PackageRefused
from sklambda.manifest import FileDigest, GoldenRow
from sklambda.package import (
    BASELINE,
    EXPLAINER,
    GOLDEN,
    MANIFEST,
    MODEL,
    REQUIRED,
    SIGNATURE,
    ModelPackage,
    package_id,
)
from sklambda.predictor import Predictor
from tests.conftest import Trained
from tests.support.packages import facts, forge
from training.package_writer import write


@pytest.fixture
def package(churn: Trained, tmp_path: Path) -> Path:
    return Path(shutil.copytree(churn.package, tmp_path / "package"))


@pytest.fixture
def change_manifest(package: Path) -> Callable[..., None]:
    def change(**members: Any) -> None:
        path = package / MANIFEST
        path.write_text(json.dumps(json.loads(path.read_text()) | members))

    return change


def refusal(path: Path) -> str:
    with pytest.raises(PackageRefused) as raised:
        Predictor.open(path)
    message = str(raised.value)
    assert "\n" not in message, "a refusal is one sentence"
    return message


def test_a_package_opens_as_it_was_written(package: Path) -> None:
    opened = ModelPackage.open(package)

    assert opened.manifest.name == "churn"
    assert opened.manifest.id == package_id(opened.manifest.files)
    assert opened.signature.names[0] == "gender"


def test_a_manifest_from_before_rounding_was_counted_is_read(
    package: Path, change_manifest: Callable[..., None]
) -> None:
    parity = json.loads((package / MANIFEST).read_text())["parity"]
    del parity["widened"], parity["undecidable"]
    change_manifest(parity=parity)

    opened = ModelPackage.open(package).manifest.parity

    assert (opened.widened, opened.undecidable) == (0, 0)


@pytest.mark.parametrize("name", REQUIRED)
def test_one_changed_byte_is_refused_by_the_files_name(package: Path, name: str) -> None:
    content = bytearray((package / name).read_bytes())
    content[len(content) // 2] ^= 1
    (package / name).write_bytes(content)

    assert name in refusal(package)


@pytest.mark.parametrize("name", [*REQUIRED, MANIFEST])
def test_a_missing_file_is_refused_by_its_name(package: Path, name: str) -> None:
    (package / name).unlink()

    assert name in refusal(package)


def test_a_newer_format_is_refused_with_what_to_do(
    package: Path, change_manifest: Callable[..., None]
) -> None:
    change_manifest(format=2, invented_since="anything")

    assert "format 2" in refusal(package)
    assert "upgrade sklambda" in refusal(package)


@pytest.mark.parametrize("number", [None, "1", [], True, 0, -1])
def test_a_format_that_is_no_number_of_one_is_refused(
    package: Path, change_manifest: Callable[..., None], number: object
) -> None:
    change_manifest(format=number)

    assert "format" in refusal(package)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\xff"])
def test_a_manifest_that_is_no_json_object_is_refused(package: Path, text: str) -> None:
    (package / MANIFEST).write_bytes(text.encode("latin-1"))

    assert MANIFEST in refusal(package)


def test_a_foreign_id_is_refused(package: Path, change_manifest: Callable[..., None]) -> None:
    change_manifest(id="0" * 64)

    assert "package id" in refusal(package)


def test_a_manifest_that_leaves_a_file_out_is_refused(
    package: Path, change_manifest: Callable[..., None]
) -> None:
    files = json.loads((package / MANIFEST).read_text())["files"]
    change_manifest(files={name: files[name] for name in (MODEL, SIGNATURE)})

    assert GOLDEN in refusal(package)


def test_a_directory_without_a_package_is_refused(tmp_path: Path) -> None:
    assert "no model package" in refusal(tmp_path)


def test_a_signature_at_odds_with_the_graph_is_refused(churn: Trained, tmp_path: Path) -> None:
    whole = ModelPackage.open(churn.package)
    fewer = whole.signature.replace(features=whole.signature.features[1:])
    wrong = ModelPackage(tmp_path, whole.manifest, fewer, whole.model, whole.golden)

    with pytest.raises(PackageRefused, match="takes 19 columns and the signature has 18"):
        Predictor(wrong)


def test_a_model_that_is_no_graph_is_refused(churn: Trained) -> None:
    whole = ModelPackage.open(churn.package)
    wrong = ModelPackage(whole.path, whole.manifest, whole.signature, b"no graph", whole.golden)

    with pytest.raises(PackageRefused, match=MODEL):
        Predictor(wrong)


def test_the_baseline_is_read_when_it_is_asked_for(package: Path) -> None:
    baseline = ModelPackage.open(package).baseline

    assert baseline is not None
    assert baseline.rows == 1500


def test_a_damaged_baseline_stops_the_monitor_and_no_prediction(package: Path) -> None:
    (package / BASELINE).write_bytes(b"{}")

    opened = ModelPackage.open(package)

    assert Predictor(opened).replay() is None
    with pytest.raises(PackageRefused, match=r"baseline\.json does not match its SHA-256"):
        _ = opened.baseline


def test_the_baseline_of_another_model_is_refused(churn: Trained, tmp_path: Path) -> None:
    whole = ModelPackage.open(churn.package)
    assert whole.baseline is not None
    features = dict(list(whole.baseline.features.items())[1:])
    other = {BASELINE: to_json(vars(whole.baseline) | {"features": features}, fallback=vars)}

    forged = ModelPackage.open(forge(whole, tmp_path / "p", optional=other))

    with pytest.raises(PackageRefused, match=r"baseline\.json: features: differ from those"):
        _ = forged.baseline


@pytest.mark.parametrize("name", [".DS_Store", "model.onnx.bak", "__pycache__"])
def test_a_file_that_the_manifest_does_not_list_is_refused(package: Path, name: str) -> None:
    (package / name).touch()

    assert f"{name} is not listed in manifest.json: remove it" in refusal(package)


@pytest.mark.parametrize("name", [BASELINE, EXPLAINER])
def test_a_listed_file_that_is_absent_is_refused(package: Path, name: str) -> None:
    (package / name).unlink()

    assert f"{name} is absent, and manifest.json lists it" in refusal(package)


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"scores": (0.5,)}, "expected 2 scores and 1 labels, got 1 and 1"),
        ({"labels": ()}, "expected 2 scores and 1 labels, got 2 and 0"),
        ({"scores": (0.5, 0.25, 0.25)}, "expected 2 scores and 1 labels, got 3 and 1"),
    ],
)
def test_a_golden_row_of_another_target_is_refused_by_its_line(
    churn: Trained, tmp_path: Path, members: dict[str, Any], fault: str
) -> None:
    whole = ModelPackage.open(churn.package)
    rows = [*whole.golden[:2], GoldenRow.of(vars(whole.golden[2]) | members)]
    forged = forge(whole, tmp_path / "p", golden=rows)

    assert f"golden.jsonl: line 3: {fault}" in refusal(forged)


def test_a_package_may_do_without_what_monitors(churn: Trained, tmp_path: Path) -> None:
    whole = ModelPackage.open(churn.package)

    plain = write(tmp_path / "p", whole.model, whole.signature, whole.golden, facts(whole))

    assert (plain.baseline, plain.error_model) == (None, None)


@pytest.mark.parametrize("name", [MANIFEST, SIGNATURE, GOLDEN])
def test_values_without_end_are_one_sentence(package: Path, name: str) -> None:
    content = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    if name != MANIFEST:
        manifest = json.loads((package / MANIFEST).read_text())
        digest = {"sha256": sha256(content).hexdigest(), "bytes": len(content)}
        manifest["files"][name] = digest
        files = {each: FileDigest(**one) for each, one in manifest["files"].items()}
        (package / MANIFEST).write_text(json.dumps(manifest | {"id": package_id(files)}))
    (package / name).write_bytes(content)

    assert str(package / name) in refusal(package)


def test_a_wrong_number_of_bytes_in_the_manifest_is_refused(
    package: Path, change_manifest: Callable[..., None]
) -> None:
    files = json.loads((package / MANIFEST).read_text())["files"]
    change_manifest(files=files | {"model.onnx": files["model.onnx"] | {"bytes": 1}})

    assert "model.onnx has" in refusal(package)
