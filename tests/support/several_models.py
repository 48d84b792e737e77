"""A folder of model packages by name, as MODELS_DIR is one."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import Trained
from tests.support.observed import Observed, observe
from training.frames import client_rows, kinds_of


@dataclass(frozen=True)
class Several:
    """Models and the folder of their packages.

    Attributes
    ----------
    folder : Path
        The folder.
    models : mapping of str to Trained
        The models by name.
    """

    folder: Path
    models: Mapping[str, Trained]

    def observe(self, default: str = "churn", **settings: Any) -> Observed:
        """Assemble a service of all models."""
        return observe(Path("/not/read"), models_dir=self.folder, default_model=default, **settings)

    def rows(self, name: str, count: int = 3) -> list[dict[str, Any]]:
        """Return rows of a model, as clients send them."""
        frame = self.models[name].frame.head(count)
        return client_rows(frame, kinds_of(frame))

    def probabilities(self, name: str, count: int = 3) -> list[list[float]]:
        """Return scikit-learn's own probabilities of these rows."""
        model = self.models[name]
        found: list[list[float]] = model.pipeline.predict_proba(model.frame.head(count)).tolist()
        return found

    def labels(self, name: str, count: int = 3) -> list[Any]:
        """Return scikit-learn's own labels of these rows."""
        model = self.models[name]
        found: list[Any] = model.pipeline.predict(model.frame.head(count)).tolist()
        return found


def gather(folder: Path, **models: Trained) -> Several:
    """Copy packages into a folder, each under the name that is given."""
    for name, model in models.items():
        shutil.copytree(model.package, folder / name)
    return Several(folder, models)
