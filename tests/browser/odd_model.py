"""A model with a feature of every kind, under names that would like to be markup."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import training
from sklambda.package import ModelPackage

NUMBER: Final = "<img src=x onerror=document.title='broken'>"
INTEGER: Final = "a\"b'c & d"
BOOLEAN: Final = "is/it~so $style"
OPEN: Final = "\u202eright to left\u202c </script><script>document.title='broken'</script>"
CLOSED: Final = "__proto__"
MANY: Final = "漢字 größe"
TEXT: Final = "review </textarea><b>"
WHEN: Final = "when 🕰"
COLOURS: Final = ('<b onclick="x()">"red"</b>', "it's", "", " blue ", "näher 漢")
CLASSES: Final = ("<i>no</i>", 'per"haps', "naïve 漢")

_ROWS: Final = 240
_WORDS: Final = ("good", "bad", "fine", "poor", "<b>", "großartig")


def odd_frame() -> pd.DataFrame:
    """Make the rows, [240, 8]."""
    generator = np.random.default_rng(4)
    days = generator.integers(0, 1000, _ROWS).astype("timedelta64[D]")
    frame = pd.DataFrame(
        {
            NUMBER: generator.normal(size=_ROWS).round(3),
            INTEGER: generator.integers(0, 50, _ROWS),
            BOOLEAN: generator.random(_ROWS) < 0.5,
            OPEN: generator.choice(COLOURS, _ROWS),
            CLOSED: generator.choice(["a", "b & c"], _ROWS),
            MANY: [f"value {place % 80} <&>" for place in range(_ROWS)],
            TEXT: [" ".join(generator.choice(_WORDS, 4)) for _ in range(_ROWS)],
            WHEN: np.datetime64("2024-03-01T10:30:00", "s") + days,
        }
    )
    frame.loc[::9, NUMBER] = np.nan
    return frame


def odd_package(out: Path) -> ModelPackage:
    """Train the model, and write its package."""
    frame = odd_frame()
    columns = ColumnTransformer(
        [
            ("number", make_pipeline(SimpleImputer(), StandardScaler()), [NUMBER, INTEGER]),
            ("boolean", "passthrough", [BOOLEAN]),
            ("open", OneHotEncoder(handle_unknown="ignore"), [OPEN, MANY]),
            ("closed", OneHotEncoder(), [CLOSED]),
            ("text", CountVectorizer(), TEXT),
            ("when", StandardScaler(), [WHEN]),
        ]
    )
    codes = (frame[NUMBER].fillna(0).gt(0).astype(int) + frame[BOOLEAN].astype(int)).to_numpy()
    labels = np.array(CLASSES, dtype=object)[codes]
    fitted: Any = make_pipeline(columns, LogisticRegression(max_iter=500)).fit(frame, labels)
    return training.export(fitted, frame, out=out, name="<odd> & model", target="t<a>rget")
