"""Packages of ``models/`` are put into a build, whose template names them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from training.checks.model_layer import place
from training.errors import ConfigurationError

TEMPLATE = """\
Parameters:
  DefaultModel:
    Type: String
    Default: ''
    AllowedPattern: ([A-Za-z0-9]*)?
  Other:
    Type: String
    Default: ''
Resources:
  RuntimeLayer:
    Properties:
      ContentUri: RuntimeLayer
  ModelLayer:
    Properties:
      ContentUri: ../../layers/model
"""


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / ".aws-sam/build"
    folder.mkdir(parents=True)
    (folder / "template.yaml").write_text(TEMPLATE)
    return folder


def model(folder: Path, name: str, *parts: str) -> Path:
    for part in (*parts, "package"):
        (folder / "models" / name / part).mkdir(parents=True)
        (folder / "models" / name / part / "model.onnx").write_text(name)
    (folder / "models" / name / "pipeline.py").touch()
    return folder / "models" / name


def template(build: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((build / "template.yaml").read_text())
    return document


def layer(build: Path) -> list[str]:
    files = (build / "ModelLayer").rglob("*")
    return sorted(str(path.relative_to(build / "ModelLayer")) for path in files if path.is_file())


def test_one_model_is_the_package_of_the_layer(build: Path, tmp_path: Path) -> None:
    place(build, [model(tmp_path, "churn", "challenger")])

    assert layer(build) == ["challenger/model.onnx", "package/model.onnx"]
    parameter = template(build)["Parameters"]["DefaultModel"]
    assert (parameter["Default"], parameter["AllowedValues"]) == ("", [""])


def test_several_models_lie_by_name_and_the_first_is_the_default(
    build: Path, tmp_path: Path
) -> None:
    place(build, [model(tmp_path, "churn"), model(tmp_path, "a.b-2")])

    assert layer(build) == ["models/a.b-2/model.onnx", "models/churn/model.onnx"]
    parameters = template(build)["Parameters"]
    assert parameters["DefaultModel"]["Default"] == "churn"
    assert parameters["DefaultModel"]["AllowedValues"] == ["churn", "a.b-2"]
    assert parameters["Other"] == {"Type": "String", "Default": ""}


def test_the_template_names_the_layer_of_the_build_alone(build: Path, tmp_path: Path) -> None:
    place(build, [model(tmp_path, "churn")])

    resources = template(build)["Resources"]
    assert resources["ModelLayer"]["Properties"]["ContentUri"] == "ModelLayer"
    assert resources["RuntimeLayer"]["Properties"]["ContentUri"] == "RuntimeLayer"


def test_a_model_without_a_package_is_refused(build: Path, tmp_path: Path) -> None:
    (tmp_path / "models/later").mkdir(parents=True)

    with pytest.raises(ConfigurationError, match="later holds no package: `sklambda train"):
        place(build, [tmp_path / "models/later"])


def test_a_build_without_a_template_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="run `make build`"):
        place(tmp_path, [model(tmp_path, "churn")])


def test_a_template_of_another_kind_is_refused(build: Path, tmp_path: Path) -> None:
    (build / "template.yaml").write_text("Resources: {}\n")

    with pytest.raises(ConfigurationError, match="must have one layer of layers/model"):
        place(build, [model(tmp_path, "churn")])
