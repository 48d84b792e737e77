"""The converters of other libraries are found without importing these libraries."""

import subprocess
import sys

from training.convert import CONVERTERS

_LOADED = """
import sys, training.convert
print(*{name.partition(".")[0] for name in sys.modules})
"""


def test_training_imports_no_library_before_a_pipeline_does() -> None:
    libraries = {kind.partition(".")[0] for kind in CONVERTERS if isinstance(kind, str)}

    # A program of ours, and this interpreter.
    ended = subprocess.run(
        [sys.executable, "-c", _LOADED],
        env={"PYTHONPATH": ":".join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )

    assert {"lightgbm", "xgboost"} <= libraries
    assert not libraries & {*ended.stdout.split()}
