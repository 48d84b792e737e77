"""Fitted estimators that the user's code calls, as ``self.scaler_.transform(X)`` in a transformer.

Their methods meet stand-ins: the answer is the estimator's own on the sample, and its columns are
recorded with the estimator, whose own conversion makes them in the graph.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import FunctionType
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, is_clusterer
from sklearn.impute import SimpleImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.metrics.pairwise import rbf_kernel

from training.convert.families.text import takes_texts
from training.convert.graph.graph import Matrix
from training.convert.graph.outputs import Outputs, class_position
from training.convert.graph.responses import label_values, response
from training.convert.graph.scope import Estimator, Scope
from training.convert.tracing.column_methods import fill
from training.convert.tracing.columns import Column, Table, Value, Vector
from training.convert.tracing.expressions import Expression, is_missing, kind_of
from training.convert.tracing.frames import Frame, Grid, Sparse
from training.convert.tracing.refusals import A_STEP
from training.convert.tracing.row_checks import Limit, limit_of, may_break
from training.convert.tracing.shims import is_of_library, reached
from training.convert.tracing.trace import Trace

_METHODS: Final = ("transform", "predict", "predict_proba", "decision_function")
_DEEP: Final = 4
_ROW: Final = slice(0, 1)


@dataclass(frozen=True, eq=False, slots=True)
class Call:
    """One call of an estimator's method on columns.

    Attributes
    ----------
    name : str
        Of the attribute, or of the class.
    estimator : estimator
        Fitted.
    method : str
        "transform", "predict", "predict_proba" or "decision_function".
    answer : callable
        The method itself.
    given : frame, series or array
        What it was called with, of the sample's rows.
    """

    name: str
    estimator: Estimator
    method: str
    answer: Callable[[Any], Any]
    given: Any

    def matrix(self, matrix: Matrix, scope: Scope) -> Matrix:
        """Convert the estimator on columns of the graph, and return its answer."""
        result = scope.run(self.name, self.estimator, matrix)
        if self.method == "transform":
            found = result.transformed if isinstance(result, Outputs) else result
            if found is not None:
                return found
        elif isinstance(result, Outputs):
            inner = scope.inside(self.name)
            if self.method != "predict" or result.value is not None:
                return response(result, self.estimator, self.method, inner)
            if result.label is not None and is_clusterer(self.estimator):
                return class_position(scope.graph, result.label)
            if hasattr(self.estimator, "classes_"):
                return label_values(result, self.estimator, inner)
        scope.refuse(f"{self.name}.{self.method} has no exact conversion: {A_STEP}")

    def limits(self, inputs: Sequence[Expression]) -> dict[int, Limit]:
        """Return which numbers the estimator takes in columns that may hold others."""
        known: dict[int, bool] = {}
        return {
            place: limit_of(partial(self._takes, place))
            for place, each in enumerate(inputs)
            if each.kind == "number" and may_break(each, known)
        }

    def _takes(self, place: int, number: float) -> bool:
        row = self.given[_ROW].copy()
        try:
            if isinstance(row, pd.DataFrame):
                row.isetitem(place, [number])
            else:
                row.reshape(1, -1)[:, place] = number
            self.answer(row)
        except Exception:  # an estimator may raise anything
            return False
        return True


@dataclass(frozen=True, eq=False, slots=True)
class Answer:
    """One column of what a call gave."""

    call: Call
    place: int


def kernel(trace: Trace) -> Callable[..., Any]:
    """Return what stands for scikit-learn's ``rbf_kernel``: of rows, and of constant centres."""

    def call(rows: Any, centres: Any = None, gamma: float | None = None) -> Any:
        if not isinstance(rows, Table) or centres is None or isinstance(centres, (Value, Table)):
            return rbf_kernel(rows, centres, gamma)
        points = np.asarray(centres, dtype=np.float64)
        own = Nystroem(kernel="rbf", gamma=1.0 / points.shape[1] if gamma is None else gamma)
        own.components_, own.normalization_ = points, np.eye(len(points))
        own.component_indices_, own.n_features_in_ = np.arange(len(points)), points.shape[1]
        answer = partial(rbf_kernel, Y=points, gamma=gamma)
        return _answered(
            trace,
            Call("rbf_kernel", own, "transform", answer, np.asarray(rows.shadow)),
            rows.parts,
            np.asarray(rows.shadow),
        )

    return call


@contextmanager
def answering(
    trace: Trace, roots: Sequence[Any], owner: Any, scopes: Sequence[dict[str, Any]]
) -> Iterator[None]:
    """Let the methods of the fitted estimators that the user's code holds take stand-ins."""
    found = {id(each): (name, each) for name, each in _held(roots, owner)}
    added: list[tuple[Any, str]] = []
    named = [
        (scope, name)
        for scope in scopes
        for name, value in list(scope.items())
        if value is rbf_kernel
    ]
    for scope, name in named:
        scope[name] = kernel(trace)
    for name, estimator in found.values():
        for method in _METHODS:
            if hasattr(estimator, method) and method not in vars(estimator):
                real = getattr(estimator, method)
                setattr(estimator, method, _taking(trace, name, estimator, method, real))
                added.append((estimator, method))
    try:
        yield
    finally:
        for estimator, method in added:
            delattr(estimator, method)
        for scope, name in named:
            scope[name] = rbf_kernel


def _held(roots: Sequence[Any], owner: Any) -> Iterator[tuple[str, Estimator]]:
    """Find estimators in attributes of the step, and in what its functions name or close over."""
    waiting: list[tuple[str, Any, int]] = [
        (name, value, 0) for name, value in _attributes(owner).items()
    ]
    for function in reached(list(roots)):
        waiting += [(name, value, 0) for name, value in _named(function)]
    seen: set[int] = set()
    while waiting:
        name, value, depth = waiting.pop()
        if id(value) in seen or depth > _DEEP:
            continue
        seen.add(id(value))
        if isinstance(value, BaseEstimator) and is_of_library(type(value)):
            yield name, value
        elif type(value) is dict:
            waiting += [(f"{name}[{key!r}]", each, depth + 1) for key, each in value.items()]
        elif type(value) in (list, tuple):
            waiting += [(f"{name}[{place}]", each, depth + 1) for place, each in enumerate(value)]
        elif isinstance(value, BaseEstimator):
            waiting += [
                (f"{name}.{inner}", each, depth + 1) for inner, each in _attributes(value).items()
            ]


def _attributes(owner: Any) -> dict[str, Any]:
    return dict(vars(owner)) if hasattr(owner, "__dict__") else {}


def _named(function: FunctionType) -> Iterator[tuple[str, Any]]:
    names = function.__code__.co_names
    yield from (
        (name, function.__globals__[name]) for name in names if name in function.__globals__
    )
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    for name, cell in cells:
        try:
            yield name, cell.cell_contents
        except ValueError:  # not assigned yet
            continue


def _taking(
    trace: Trace, name: str, estimator: Estimator, method: str, real: Callable[[Any], Any]
) -> Callable[..., Any]:
    def call(rows: Any, *inputs: Any, **options: Any) -> Any:
        if not isinstance(rows, (Value, Table, Sparse)):
            return real(rows, *inputs, **options)
        if inputs or options:
            trace.refuse(f"{name}.{method} with more arguments than the rows", A_STEP)
        if isinstance(rows, Value) and not takes_texts(estimator):
            return _of_categories(rows, f"{name}.{method}", real)
        given = rows.dense if isinstance(rows, Sparse) else rows
        parts = [given] if isinstance(given, Value) else given.parts
        if type(estimator) is SimpleImputer and method == "transform":
            filled = _filled(given, parts, estimator, real(rows.shadow))
            if filled is not None:
                return filled
        return _answered(
            trace, Call(name, estimator, method, real, rows.shadow), parts, rows.shadow
        )

    return call


def _of_categories(rows: Value, name: str, real: Callable[[Any], Any]) -> Any:
    """Record what an estimator of one dimension, as LabelEncoder is, makes of each category."""
    answer = lambda each: np.asarray(real(each))  # noqa: E731
    return Vector(rows.trace, *rows.trace.apply(name, answer, (rows,), remedy=A_STEP))


def _filled(rows: Any, parts: Sequence[Any], imputer: Estimator, real: Any) -> Any:
    """Record what an imputer makes of strings: the missing ones are filled, others stay."""
    trace: Trace = rows.trace
    values = imputer.statistics_.tolist()
    textual = any(part.expression.kind == "category" for part in parts)
    if not textual or imputer.add_indicator or any(map(is_missing, values)):
        return None
    filled = [
        fill(Column(trace, part.expression, pd.Series(part.shadow)), value).expression
        for part, value in zip(parts, values, strict=True)
    ]
    columns = _columns(real)
    pairs = [trace.settle(*each, "transform") for each in zip(filled, columns, strict=True)]
    expressions = [expression for expression, _ in pairs]
    made = Frame if isinstance(real, pd.DataFrame) else Grid
    return made(trace, expressions, real)


def _answered(trace: Trace, call: Call, parts: Sequence[Any], given: Any) -> Any:
    with np.errstate(all="ignore"):
        found = call.answer(given)
    dense = found.toarray() if hasattr(found, "toarray") else found
    columns = _columns(dense)
    if len(dense) != trace.count:
        trace.refuse(f"{call.name}.{call.method} drops or adds rows", A_STEP)
    inputs = tuple(part.expression for part in parts)
    made = []
    for place, values in enumerate(columns):
        kind = kind_of(values)
        if kind not in ("number", "integer", "boolean"):
            trace.refuse(f"{call.name}.{call.method} makes other values than numbers", A_STEP)
        answer = Expression("estimated", kind, inputs, Answer(call, place))
        trace.know(answer, np.asarray(values, np.float64 if kind == "number" else None))
        made.append(answer)
    if isinstance(found, pd.DataFrame):
        return Frame(trace, made, found)
    if np.ndim(dense) == 1:
        return Vector(trace, made[0], np.asarray(dense))
    grid = Grid(trace, made, np.asarray(dense))
    return Sparse(grid, found) if hasattr(found, "toarray") else grid


def _columns(found: Any) -> list[Any]:
    if isinstance(found, pd.DataFrame):
        return [found.iloc[:, place] for place in range(found.shape[1])]
    matrix = np.asarray(found)
    return [matrix] if matrix.ndim == 1 else list(matrix.T)
