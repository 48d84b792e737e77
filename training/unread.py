"""The columns that a fitted pipeline is given and never reads.

scikit-learn drops a column by its name or place before anything looks into it, and refuses rows
without it all the same. Such a column is no feature: no client should have to send it, and none of
its values belongs into a package. A column that is looked into and then has no effect, as one that
`SelectKBest` leaves out after it has refused its missing values, is a feature.
"""

import builtins
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Final, Never, Self

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray, ExtensionDtype
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer

from training.convert.families.compose import predicting
from training.convert.families.text import takes_dictionaries, takes_texts
from training.convert.graph.scope import Estimator
from training.convert.tracing.shims import names_used

type Places = Sequence[int]

_MOST_TRIALS: Final = 200
"""How often a pipeline is tried; columns of which nothing is known by then count as read."""


def unread(pipeline: Estimator, frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the columns that nothing in a pipeline reads.

    The pipeline predicts a row in which they cannot be read: every access to their values raises.

    Parameters
    ----------
    pipeline : estimator
        Fitted.
    frame : DataFrame
        Shape [N, K]: the columns that it was fitted on, N at least 1.

    Returns
    -------
    tuple of str
        In the order of the frame; empty where all of them would be, as for a model that predicts
        the same for every row.
    """
    suspects = (
        []
        if takes_texts(pipeline) or takes_dictionaries(pipeline)
        else _suspects(pipeline, range(frame.shape[1]))
    )
    if not suspects:
        return ()
    trials = _Trials(pipeline, frame.head(1))
    found = [] if trials.fail([]) else sorted(_found(suspects, trials))
    return tuple(frame.columns[found]) if len(found) < frame.shape[1] else ()


def _found(suspects: Places, trials: "_Trials") -> Iterator[int]:
    """Yield the unread ones among columns, by halving."""
    if not trials.fail(suspects):
        yield from suspects
    elif len(suspects) > 1:
        half = len(suspects) // 2
        for part in (suspects[:half], suspects[half:]):
            yield from _found(part, trials)


class _Trials:
    """Predicts a row, [1, K], with columns that cannot be read."""

    def __init__(self, pipeline: Estimator, row: pd.DataFrame) -> None:
        self._pipeline, self._row, self._left = pipeline, row, _MOST_TRIALS

    def fail(self, places: Places) -> bool:
        self._left -= 1
        if self._left < 0:
            return True
        frame = self._row.copy()
        for place in places:
            frame.isetitem(place, _Unreadable(_Closed(self._row.dtypes.iloc[place]), 1))
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                self._pipeline.predict(frame)
            except Exception:  # libraries and the user's code wrap the error in their own
                return True
        return False


def _suspects(estimator: Estimator, places: Places) -> list[int]:
    """Return the columns that no step of scikit-learn's own reads for certain.

    Its estimators validate all columns that they are given; code of others has to be tried.
    """
    if isinstance(estimator, ColumnTransformer):
        taken: set[int] = set()
        given = estimator._transformer_to_input_indices
        for name, step, _ in estimator.transformers_:
            own = [places[place] for place in given[name]]
            if not _is_dropped(step):
                taken |= {*own} - {*_suspects(step, own)}
        return [place for place in places if place not in taken]
    if isinstance(estimator, Pipeline):
        steps = [step for _, step in predicting(estimator) if not _is_identity(step)]
        return _suspects(steps[0], places) if steps else []
    members = _members(estimator)
    if members:
        each = [{*_suspects(member, places)} for member in members]
        return sorted(set[int].intersection(*each))
    own_code = isinstance(estimator, FunctionTransformer) and not _is_identity(estimator)
    function = estimator.func if own_code else getattr(type(estimator), "transform", None)
    if "get_dummies" in names_used([function]):
        return []  # it passes on what it takes for numbers
    foreign = type(estimator).__module__.partition(".")[0] != "sklearn"
    return [*places] if own_code or (foreign and not isinstance(estimator, str)) else []


def _members(estimator: Estimator) -> list[Estimator]:
    """Return the fitted estimators to each of which an estimator passes its columns on."""
    if isinstance(estimator, FeatureUnion):
        return [step for _, step in estimator.transformer_list if not _is_dropped(step)]
    for name in ("best_estimator_", "estimator_"):
        if hasattr(estimator, name):
            return [getattr(estimator, name)]
    parts = [*getattr(estimator, "estimators_", ())]
    rows = [[*part] if isinstance(part, list | np.ndarray) else [part] for part in parts]
    found = [member for row in rows for member in row]
    return found or [each.estimator for each in getattr(estimator, "calibrated_classifiers_", ())]


def _is_identity(step: Estimator) -> bool:
    return isinstance(step, FunctionTransformer) and step.func is None


def _is_dropped(step: Estimator) -> bool:
    return isinstance(step, str) and step == "drop"


class _ReadError(Exception):
    """The values of a column that cannot be read were asked for."""


class _Closed(ExtensionDtype):
    """The dtype of a column that cannot be read; selection by dtype takes it for another."""

    name = "unreadable"
    na_value = None

    def __init__(self, like: Any = None) -> None:
        self._type: builtins.type = getattr(like, "type", object)
        self._kind: str = getattr(like, "kind", "O")

    @property
    def type(self) -> Any:  # type: ignore[override]  # pandas itself has a property
        return self._type

    @property
    def kind(self) -> Any:
        return self._kind

    @property
    def _is_numeric(self) -> bool:
        return self._kind in "iufcb"

    @property
    def _is_boolean(self) -> bool:
        return self._kind == "b"

    @classmethod
    def construct_array_type(cls) -> "builtins.type[ExtensionArray]":
        return _Unreadable


class _Unreadable(ExtensionArray):
    """A column whose rows can be picked and put together, and whose values cannot be read."""

    def __init__(self, dtype: _Closed, rows: int) -> None:
        self._dtype, self._rows = dtype, rows

    @property
    def dtype(self) -> _Closed:
        return self._dtype

    @property
    def nbytes(self) -> int:
        return 0

    def __len__(self) -> int:
        return self._rows

    def copy(self) -> Self:
        return type(self)(self._dtype, self._rows)

    def view(self, dtype: Any = None) -> Self:
        return self.copy()

    def take(self, indices: Any, *, allow_fill: bool = False, fill_value: Any = None) -> Self:
        return type(self)(self._dtype, len(indices))

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, slice):
            return type(self)(self._dtype, len(range(*item.indices(self._rows))))
        return self._refuse()

    @classmethod
    def _concat_same_type(cls, to_concat: Sequence[Any]) -> Any:
        return cls(to_concat[0].dtype, sum(map(len, to_concat)))

    def _refuse(self, *_: Any, **__: Any) -> Never:
        raise _ReadError

    __array__ = __eq__ = __iter__ = __ne__ = _refuse
    astype = isna = to_numpy = _refuse
    __hash__ = None  # type: ignore[assignment]
