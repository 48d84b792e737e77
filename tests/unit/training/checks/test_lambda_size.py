"""The size of what is built is added up by function, and refused above Lambda's limit."""

from pathlib import Path

import pytest

from training.checks.lambda_size import LIMIT, built_functions, check, main, used
from training.errors import ConfigurationError

TEMPLATE = """\
Globals:
  Function:
    Runtime: python3.13
Resources:
  RuntimeLayer:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: RuntimeLayer
  ModelLayer:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: ../../layers/model
  Predict:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: Predict
      Layers:
      - Ref: RuntimeLayer
      - Ref: ModelLayer
      AutoPublishAlias: live
  Authorize:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: Authorize
      Layers:
      - Ref: RuntimeLayer
Outputs:
  Api:
    Value: x
"""


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / ".aws-sam/build"
    sizes = {"RuntimeLayer/a/b": 1000, "Predict/c": 20, "Authorize/d": 3}
    for name, size in sizes.items():
        fill(folder / name, size)
    fill(tmp_path / "layers/model/package/model.onnx", 500)
    (folder / "template.yaml").write_text(TEMPLATE)
    return folder


def fill(path: Path, size: int) -> None:
    """Make a file of a size that takes no room on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


def test_a_function_counts_with_its_layers(build: Path) -> None:
    assert {one.name: one.size for one in built_functions(build)} == {
        "Predict": 1520,
        "Authorize": 1003,
    }


def test_what_is_up_to_the_limit_is_accepted(build: Path) -> None:
    fill(build / "RuntimeLayer/large", LIMIT - 1520)

    assert max(one.size for one in check(build)) == LIMIT


def test_what_is_above_is_refused_with_the_number(
    build: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(build.parents[1] / "layers/model/package/model.onnx", LIMIT)

    with pytest.raises(SystemExit, match="2"):
        main([str(build)])

    sentence = capsys.readouterr().err
    assert "Predict has 262,145,020 bytes unzipped with its layers" in sentence
    assert "Lambda accepts up to 262,144,000 (ModelLayer 262,144,000, RuntimeLayer" in sentence


def test_a_folder_without_a_build_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="run `make build`"):
        check(tmp_path)


def test_the_share_is_that_of_the_last_build(build: Path) -> None:
    fill(build / "RuntimeLayer/large", 100_000_000)

    found = used(31_071_000, build)

    assert found == "50.0% of Lambda's 250 MB, with Predict and its layers"


def test_without_a_build_the_package_alone_counts(tmp_path: Path) -> None:
    found = used(26_214_400, tmp_path)

    assert found == "10.0% of Lambda's 250 MB, before functions and layers"
