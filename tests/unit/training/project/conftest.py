"""A repository of a user's, and an application small enough to be read."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.numeric_model import train_numeric
from training.project.application import Application, in_folder
from training.project.new import new
from training.project.repository import Model, Repository

TEMPLATE = """\
Parameters:
  LogLevel:
    Type: String
    Default: INFO

Resources:
  RuntimeLayer:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: layers/runtime
    Metadata:
      BuildMethod: makefile

  SharedLayer:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: layers/shared
    Metadata:
      BuildMethod: makefile

  Data:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
"""
FILES = {
    "template.yaml": TEMPLATE,
    "functions/predict/handler.py": "one = 1\ntwo = 2\nthree = 3\nfour = 4\nfive = 5\n",
    "layers/runtime/Makefile": "build-RuntimeLayer:\n\techo $(ARCH) > $(ARTIFACTS_DIR)/built\n",
    "layers/runtime/requirements.txt": "numpy\n",
    "layers/shared/Makefile": "build-SharedLayer:\n",
}

type MakeApplication = Callable[..., Application]


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model package."""
    return train_numeric(tmp_path_factory.mktemp("numeric") / "package").package


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """What `sklambda new` writes, with a model `churn` that was not trained."""
    root = tmp_path / "mine"
    new(root)
    (root / "models/churn").mkdir()
    return Repository(root)


@pytest.fixture
def model(repository: Repository) -> Model:
    """The model, with files that stand for its package."""
    model = repository.model("churn")
    model.package.mkdir()
    (model.package / "manifest.json").write_text("{}")
    return model


@pytest.fixture
def trained(repository: Repository, package: Path) -> Model:
    """The model, with a package that scores."""
    model = repository.model("churn")
    shutil.copytree(package, model.package)
    return model


@pytest.fixture
def application_factory(tmp_path: Path) -> MakeApplication:
    """Make an application: the small one with other or further files, None for none."""

    def make(version: str, files: dict[str, str | None] | None = None) -> Application:
        folder = tmp_path / f"application-{version}"
        for name, text in (FILES | (files or {})).items():
            if text is not None:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text)
        return in_folder(folder, version)

    return make


@pytest.fixture
def application(application_factory: MakeApplication) -> Application:
    """The application as it comes."""
    return application_factory("1.0")
