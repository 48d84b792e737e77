"""What of the user's code cannot be traced: the line, the reason and the next step."""

import linecache
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final


class CodeRefused(BaseException):
    """The user's code has no exact conversion.

    It is no Exception: an ``except Exception`` of the user's would take another way on it.

    Parameters
    ----------
    reason : str
        What the code does, as the end of a sentence.
    remedy : str
        The next step.
    line : str
        The place in the user's file, with its source.
    """

    def __init__(self, reason: str, remedy: str = "", line: str = "") -> None:
        super().__init__(reason)
        self.reason, self.line = reason, line
        self.remedy = remedy or OTHERWISE

    @property
    def sentence(self) -> str:
        """The whole refusal."""
        place = f"{self.line}: " if self.line else ""
        return f"{place}{self.reason}; {self.remedy}"


OTHERWISE: Final = (
    "write this step with column arithmetic, numpy's functions, map, cut or where, or compute the "
    "column before training and send it as a feature"
)
OTHER_ROWS: Final = (
    "learn it in fit of a transformer class and keep it as an attribute, for a service scores each "
    "row by itself"
)
ROW_WISE: Final = "answer each row by its own values alone"
A_STEP: Final = "make it a step of its own, in a Pipeline or a ColumnTransformer"

LEARNT: Final[dict[str, str]] = {
    **dict.fromkeys(
        ("mean", "median", "mode"),
        "learn the value in fit of a transformer class, or use SimpleImputer or StandardScaler",
    ),
    **dict.fromkeys(
        ("std", "var", "sem"), "learn it in fit of a transformer class, or use StandardScaler"
    ),
    **dict.fromkeys(
        ("min", "max", "quantile"),
        "learn the value in fit of a transformer class, or use MinMaxScaler or RobustScaler",
    ),
    "qcut": "use KBinsDiscretizer(strategy='quantile'), or learn the edges in fit and use pd.cut",
    "get_dummies": "use OneHotEncoder(handle_unknown='ignore')",
    "factorize": "use OrdinalEncoder",
    "unique": "use OrdinalEncoder, or learn the values in fit of a transformer class",
    "groupby": "learn the statistics in fit of a transformer class and look them up by map",
    "value_counts": "count in fit of a transformer class and look the counts up by map",
    "dropna": "drop rows before training, and fill missing values in the pipeline",
    "drop_duplicates": "drop rows before training",
    "query": "filter rows before training",
    "sample": "draw rows before training",
    "ffill": "fill by a constant, or use SimpleImputer",
    "bfill": "fill by a constant, or use SimpleImputer",
    "interpolate": "fill by a constant, or use SimpleImputer",
    "rank": "use QuantileTransformer",
}
"""The next step for what looks at other rows, by the name of the method."""

_OF_ROWS: Final = (
    "agg aggregate append argmax argmin argsort asfreq average bincount corr count cov cummax "
    "cummin cumprod cumsum describe diff ewm expanding explode head histogram idxmax idxmin kurt "
    "melt merge nlargest nsmallest nunique pct_change percentile pivot pivot_table prod resample "
    "rolling searchsorted shift size skew sort sort_index sort_values stack tail take transform "
    "unstack"
)
BATCH: Final = frozenset((*LEARNT, *_OF_ROWS.split()))
"""Names of methods that look at other rows, or choose rows."""


def line_of(files: Collection[str], fault: BaseException | None = None) -> str:
    """Return the innermost line of the user's files on the stack, or in a fault's traceback."""
    frames = _raised(fault.__traceback__) if fault is not None else _called(sys._getframe(1))
    for name, number in frames:
        if name in files:
            return _shown(name, number)
    return ""


def _called(frame: FrameType | None) -> Iterator[tuple[str, int]]:
    while frame is not None:
        yield frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back


def _raised(traceback: TracebackType | None) -> Iterator[tuple[str, int]]:
    found = []
    while traceback is not None:
        found.append((traceback.tb_frame.f_code.co_filename, traceback.tb_lineno))
        traceback = traceback.tb_next
    yield from reversed(found)


def _shown(name: str, number: int) -> str:
    source = linecache.getline(name, number).strip()
    place = f"{Path(name).name}:{number}"
    return f"{place} `{source}`" if source else place
