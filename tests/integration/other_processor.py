"""Packages, and the pipelines that they were made of, on the processor that the environment names.

Run as ``python -m tests.integration.other_processor FOLDER``; writes what it found as JSON.
"""

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg  # noqa: F401  # brings a BLAS of its own
from threadpoolctl import threadpool_info

from sklambda.package import ModelPackage
from sklambda.predictor import Predictor
from training.frames import kinds_of
from training.proof.conversion import Conversion


def main() -> None:
    extensions: Any = np.show_config(mode="dicts")
    found: dict[str, Any] = {
        "kernels": sorted({each.get("architecture") for each in threadpool_info()} - {None}),
        "loops": extensions["SIMD Extensions"].get("found", []),
        "replayed": {},
        "proven": {},
    }
    for folder in sorted(Path(sys.argv[1]).iterdir()):
        mismatch = Predictor.open(folder / "package").replay()
        found["replayed"][folder.name] = None if mismatch is None else mismatch.name
        found["proven"][folder.name] = proven(folder)
    json.dump(found, sys.stdout)


def proven(folder: Path) -> list[int]:
    """Compare what scikit-learn answers here with a package that was made elsewhere."""
    package = ModelPackage.open(folder / "package")
    pipeline, frame = pickle.loads((folder / "pipeline").read_bytes())
    conversion = Conversion(pipeline, frame, kinds_of(frame))
    cases = conversion.cases(package.model, package.signature)
    report = conversion.prove(package.model, package.signature, cases)
    return [report.widened, report.undecidable]


if __name__ == "__main__":
    main()
