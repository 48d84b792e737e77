"""`import sklambda` is enough to score rows, and imports nothing before it is used."""

import doctest
import inspect
import pydoc
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sklambda
from tests.conftest import REPOSITORY, Trained


def test_the_public_names_are_these() -> None:
    assert sklambda.__all__ == [
        "DocumentInvalid",
        "Explanation",
        "Fault",
        "FaultCode",
        "Feature",
        "InputRefused",
        "ModelPackage",
        "ObjectReplaced",
        "OutOfTime",
        "PackageRefused",
        "Prediction",
        "Predictor",
        "RowsInvalid",
        "SettingsInvalid",
        "Signature",
        "SklambdaError",
        "Target",
        "ValueRefused",
    ]


def test_each_public_name_is_a_documented_class() -> None:
    found = {name: getattr(sklambda, name) for name in sklambda.__all__}

    assert [name for name, one in found.items() if one.__name__ != name or not one.__doc__] == []


def test_all_errors_are_public() -> None:
    errors = {
        name
        for name, one in inspect.getmembers(sklambda.errors, inspect.isclass)
        if issubclass(one, sklambda.SklambdaError)
    }

    assert errors <= set(sklambda.__all__)


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'sklambda' has no attribute 'Predicter'"):
        _ = sklambda.Predicter  # type: ignore[attr-defined]  # mypy says so too


def test_importing_it_imports_neither_numpy_nor_onnxruntime() -> None:
    script = "import sys, sklambda; print(*sys.modules)"

    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert not {"numpy", "onnxruntime", "sklambda.predictor"} & set(run.stdout.split())


@pytest.fixture
def in_a_project(churn: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "layers/model").mkdir(parents=True)
    (tmp_path / "layers/model/package").symlink_to(churn.package)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("in_a_project")
def test_the_example_of_the_docstring_runs() -> None:
    found = doctest.testmod(sklambda)

    assert (found.failed, found.attempted) == (0, 8)


@pytest.mark.usefixtures("in_a_project")
def test_the_examples_of_the_page_run(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(
        r"```python\n(.*?)```", (REPOSITORY / "docs/python.md").read_text(), re.DOTALL
    )
    names: dict[str, Any] = {}

    for block in blocks:
        exec(block, names)

    fault, *contributions = capsys.readouterr().out.splitlines()
    assert fault == "0 tenure type must be a number"
    assert len(contributions) == len(names["signature"].features)


def test_help_shows_the_example_and_the_predictor() -> None:
    text = pydoc.plain(pydoc.render_doc(sklambda))

    assert "Predictor.open" in text
    assert "class Predictor" in text
