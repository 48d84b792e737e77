"""`import training` exports and verifies packages, and imports nothing before it is used."""

import inspect
import subprocess
import sys

import pytest

import training
from sklambda.errors import SklambdaError
from training import errors


def test_the_public_names_are_these() -> None:
    assert training.__all__ == [
        "ConfigurationError",
        "ConversionRefused",
        "DataError",
        "MergeConflict",
        "ParityFailed",
        "QualityGateFailed",
        "RunMetadata",
        "TimeLimitExceeded",
        "ToolFailed",
        "TrainingError",
        "UpgradeStopped",
        "export",
        "verify",
    ]


def test_each_public_name_is_documented() -> None:
    found = {name: getattr(training, name) for name in training.__all__}

    assert [name for name, one in found.items() if one.__name__ != name or not one.__doc__] == []


def test_all_errors_are_public() -> None:
    found = {
        name
        for name, one in inspect.getmembers(errors, inspect.isclass)
        if issubclass(one, training.TrainingError)
    }

    assert found <= set(training.__all__)


def test_one_base_catches_the_errors_of_training_and_of_sklambda() -> None:
    assert issubclass(training.TrainingError, SklambdaError)


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'training' has no attribute 'exprot'"):
        _ = training.exprot  # type: ignore[attr-defined]  # mypy says so too


def test_importing_it_imports_neither_scikit_learn_nor_pandas() -> None:
    script = "import sys, training; print(*sys.modules)"

    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert not {"sklearn", "pandas", "training.exporter"} & set(run.stdout.split())
