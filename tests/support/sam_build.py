"""The application as `sam build` leaves it, once per session, with any model package in it."""

import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.lambda_containers import REPOSITORY, sam, tool_environment

_SOURCES = ("functions", "layers")
_MODEL_LAYER = "ContentUri: ../../layers/model\n"


@dataclass(frozen=True)
class SamBuild:
    """A copy of the repository's application, built.

    Attributes
    ----------
    project : Path
        The copy. What SAM has built is below ``.aws-sam/build``.
    """

    project: Path

    @property
    def output(self) -> Path:
        """The folder of the built template, functions and layers."""
        return self.project / ".aws-sam/build"

    def template(self, package: Path) -> Path:
        """Give the built template of this build with `package` in its model layer.

        SAM takes the model layer as it stands, so that another one needs no other build.
        """
        return self._template({"package": package})

    def several(self, **packages: Path) -> Path:
        """Give the built template with several packages in its model layer, by name."""
        return self._template({f"models/{name}": package for name, package in packages.items()})

    def _template(self, packages: Mapping[str, Path]) -> Path:
        name = hashlib.sha256(str(packages).encode()).hexdigest()[:8]
        path = self.output / f"template-{name}.yaml"
        if not path.exists():
            for place, package in packages.items():
                shutil.copytree(package, self.project / "models" / name / place)
            built = (self.output / "template.yaml").read_text()
            assert built.count(_MODEL_LAYER) == 1, "the model layer has moved: see template.yaml"
            path.write_text(built.replace(_MODEL_LAYER, f"ContentUri: ../../models/{name}\n"))
        return path


@pytest.fixture(scope="session")
def sam_build(tmp_path_factory: pytest.TempPathFactory) -> SamBuild:
    """The application of this checkout, built outside of it."""
    project = tmp_path_factory.mktemp("application")
    copy_sources(project, *_SOURCES)
    return run_sam_build(project)


def copy_sources(project: Path, *folders: str) -> None:
    """Copy the template and folders of this checkout, without a model package, to `project`."""
    left_out = shutil.ignore_patterns("__pycache__", "package")
    for folder in folders:
        shutil.copytree(REPOSITORY / folder, project / folder, ignore=left_out)
    shutil.copy(REPOSITORY / "template.yaml", project)


def run_sam_build(project: Path, *function: str) -> SamBuild:
    """Build the application whose sources are in `project`, or one function with its layers."""
    result = subprocess.run(
        sam("build", *function, "--parallel"),
        cwd=project,
        env=tool_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        pytest.fail(f"sam build failed:\n{result.stderr}", pytrace=False)
    return SamBuild(project)
