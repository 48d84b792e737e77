"""Marks for tests that ask for what another release of scikit-learn or pandas lacks."""

from collections.abc import Iterable, Mapping
from typing import Final

import pandas as pd
import pytest
from _pytest.mark.structures import ParameterSet

from training.convert.releases import is_before

_IS_PANDAS_2: Final = pd.__version__.startswith("2.")
_OF_PANDAS: Final = "FutureWarning" if _IS_PANDAS_2 else "pandas.errors.Pandas4Warning"

OUTDATED_PANDAS: Final = pytest.mark.filterwarnings(f"ignore::{_OF_PANDAS}")
"""For libraries that use pandas as its next release will not have it."""

NEEDS_PANDAS_3: Final = pytest.mark.skipif(_IS_PANDAS_2, reason="pandas 3: skrub's frames")


def since(release: str, what: str) -> pytest.MarkDecorator:
    """Skip a test, or a case, of what scikit-learn has since a release, as "1.8"."""
    return pytest.mark.skipif(is_before(release), reason=f"scikit-learn {release}: {what}")


def cases(names: Iterable[str], new: Mapping[str, str]) -> list[ParameterSet]:
    """Return the cases of a test, those marked by `since` that a newer release has."""
    return [
        pytest.param(name, marks=[since(new[name], name)] if name in new else []) for name in names
    ]
