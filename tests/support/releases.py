"""Marks for tests that ask for what another release of scikit-learn or pandas lacks."""

from typing import Final

import pandas as pd
import pytest

from training.convert.releases import is_before

_OF_PANDAS: Final = "pandas.errors.Pandas4Warning" if pd.__version__ >= "3" else "FutureWarning"

OUTDATED_PANDAS: Final = pytest.mark.filterwarnings(f"ignore::{_OF_PANDAS}")
"""For libraries that use pandas as its next release will not have it."""


def since(release: str, what: str) -> pytest.MarkDecorator:
    """Skip a test, or a case, of what scikit-learn has since a release, as "1.8"."""
    return pytest.mark.skipif(is_before(release), reason=f"scikit-learn {release}: {what}")
