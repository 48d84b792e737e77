"""Conversion of the user's own code: functions in FunctionTransformer, and transformer classes.

The code is run on stand-ins that record what it does to its columns (`trace`), functions of few
values are called on each of them (`tables`), and what was recorded becomes nodes of the graph
(`emission`). Code that cannot be followed is refused at its line.
"""

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import product
from math import prod
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.preprocessing import FunctionTransformer

from training.convert.graph.graph import Matrix
from training.convert.graph.scope import Code, Estimator, Follow, Scope
from training.convert.tracing.accessors import ACCESSORS
from training.convert.tracing.column_methods import COLUMN, SCALAR, VECTOR, merge
from training.convert.tracing.delegated.estimators import Call, answering
from training.convert.tracing.delegated.texts import TEXTS
from training.convert.tracing.emission import Emission
from training.convert.tracing.expressions import (
    UNKNOWN,
    UNSEEN,
    Expression,
    Mark,
    is_missing,
)
from training.convert.tracing.frame_methods import FRAME, GRID, TABLES
from training.convert.tracing.frames import Sparse
from training.convert.tracing.leaves import (
    columns_in,
    handed_on,
    leaf_of,
    outputs_of,
    passing_leaves,
    picked,
    rows_like,
    stand_in,
    torn_texts,
    values_of,
)
from training.convert.tracing.numpy_functions import call
from training.convert.tracing.refusals import CodeRefused, line_of
from training.convert.tracing.row_checks import (
    Limit,
    Sample,
    check_names,
    check_rows,
    columns_of,
    limit_of,
    limit_of_texts,
    may_break,
    require_accepted,
)
from training.convert.tracing.shims import names_used, scopes_of, shimmed
from training.convert.tracing.tables import MOST_CELLS, tabulate, whole
from training.convert.tracing.trace import Leaf, Trace, equal
from training.errors import ConversionRefused

METHODS: Final[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
    "accessors": ACCESSORS,
    "column": COLUMN,
    "frame": FRAME,
    "grid": GRID,
    "numpy": {"call": call},
    "scalar": SCALAR,
    "tables": TABLES,
    "texts": TEXTS,
    "vector": VECTOR,
}

type Function = Callable[[Any], Any]


def user_code(rows_of: Callable[[Estimator], Sample | None]) -> Follow:
    """Return the conversion of steps that run the user's code.

    Parameters
    ----------
    rows_of : callable
        Returns some rows that a step gets, None where it is not run to predict.
    """

    def converted(
        estimator: Estimator, matrix: Matrix, scope: Scope, code: Code | None = None
    ) -> Matrix:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return _Step(estimator, matrix, scope, rows_of(estimator), code).converted()
            except CodeRefused as refused:
                scope.refuse(f"{_name(estimator)}: {refused.sentence}")
            except ConversionRefused:
                raise
            except Exception as error:  # the user's code may meet a stand-in in any way
                unforeseen = CodeRefused(f"it cannot be followed ({type(error).__name__}: {error})")
                scope.refuse(f"{_name(estimator)}: {unforeseen.sentence}")

    return converted


def _name(estimator: Estimator) -> str:
    kind = type(estimator)
    if not isinstance(estimator, FunctionTransformer):
        return f"{kind.__module__}.{kind.__qualname__}"
    function = estimator.func
    return f"FunctionTransformer(func={getattr(function, '__name__', type(function).__name__)})"


class _Step:
    """One step that runs the user's code."""

    def __init__(
        self,
        estimator: Estimator,
        matrix: Matrix,
        scope: Scope,
        sample: Sample | None,
        code: Code | None = None,
    ) -> None:
        self._matrix, self._scope, self._owner = matrix, scope, estimator
        self._code: Any
        self._function: Function
        if code is not None:
            self._code = self._function = code
            roots = [code]
        elif isinstance(estimator, FunctionTransformer):
            self._code, options = estimator.func, estimator.kw_args or {}
            self._function = lambda rows: self._code(rows, **options)
            roots = [self._code]
        else:
            self._code = inspect.unwrap(type(estimator).transform)
            self._function = lambda rows: self._code(estimator, rows)
            roots = [self._code, type(estimator)]
        self._roots = roots
        self._demands: list[Expression] = []
        self._torn: set[int] = set()
        self._scopes, self._files = scopes_of(roots)
        self._sample = sample
        given: Any = None if sample is None else sample.rows
        is_sparse = hasattr(given, "toarray")
        self._sparse: Any = given if is_sparse else None
        self._rows: Any = given.toarray() if is_sparse else given

    def converted(self) -> Matrix:
        """Follow the code; where it needs whole numbers, on rows in which none is missing."""
        if self._rows is None:
            raise CodeRefused("the pipeline does not run this step to predict")
        try:
            return self._converted()
        except CodeRefused as refused:
            complete = None if self._sample is None else self._sample.complete()
            if complete is None:
                raise
            first, (self._rows, places) = refused, complete
        try:
            made = self._converted()
        except CodeRefused:
            raise first from None
        for place in places:
            self._scope.graph.require_present(self._matrix.origin(place))
        return made

    def _converted(self) -> Matrix:
        rows = self._rows if self._sparse is None else self._sparse
        self._made = leaves = self._leaves()
        check_names(names_used(self._roots))
        try:
            expected = check_rows(self._function, rows, self._files)
        except CodeRefused as refused:
            self._blame(refused, leaves)
            raise
        found = self._followed(leaves, expected)
        self._check(found, leaves)
        self._close(found, leaves)
        emission = Emission(self._scope.graph, self._matrix, leaves, self._estimate)
        made = emission.columns(found)
        for place in sorted(frozenset().union(*(each.leaves for each in found))):
            if leaves[place].source is not None and not leaves[place].is_open:
                emission.require_known(place)
        for demand in self._demands:
            held = emission.columns([demand]).tensor
            self._scope.graph.require(emission.true(held))
        require_accepted(self._scope.graph, made, self._limits(found))
        return made

    def _estimate(self, call: Call, inputs: Sequence[Expression], matrix: Matrix) -> Matrix:
        """Convert an estimator that the code called."""
        require_accepted(self._scope.graph, matrix, call.limits(inputs))
        return call.matrix(matrix, self._scope)

    def _limits(self, found: Sequence[Expression]) -> dict[int, Limit]:
        """Return what the later steps accept of the outputs that may be no finite number."""
        if self._sample is None:
            return {}
        known: dict[int, bool] = {}
        limits = {
            place: limit_of(partial(self._sample.accepts, place))
            for place, each in enumerate(found)
            if each.kind == "number" and may_break(each, known)
        }
        for place, each in enumerate(found):
            if each.kind == "category" and self._is_made(each):
                limits[place] = limit_of_texts(partial(self._sample.accepts, place))
        return limits

    def _is_made(self, expression: Expression) -> bool:
        """Check whether an output has texts that the code made of others, or of numbers."""
        return any(self._made[place].source is not None for place in expression.leaves)

    def _leaves(self) -> list[Leaf]:
        columns = columns_in(self._rows)
        if len(columns) != self._matrix.width:
            raise CodeRefused(
                f"it gets {len(columns)} columns where the graph has {self._matrix.width}"
            )
        return [
            leaf_of(column, vocabulary)
            for column, vocabulary in zip(columns, self._matrix.vocabularies, strict=True)
        ]

    def _followed(self, leaves: list[Leaf], expected: Sequence[Any]) -> list[Expression]:
        """Return the outputs: of stand-ins alone, of categories in turn, or of tables."""
        try:
            return self._traced(leaves, expected)
        except CodeRefused as refused:
            first = refused
        try:
            return self._traced(leaves, expected, concrete=True)
        except CodeRefused:
            return self._tabulated(leaves, expected, first)

    @contextmanager
    def _met(self, trace: Trace) -> Iterator[None]:
        """Let what the code calls take stand-ins."""
        with shimmed(trace, self._scopes), answering(trace, self._roots, self._owner, self._scopes):
            yield

    def _stand_in(self, trace: Trace) -> Callable[[], Any]:
        make = stand_in(trace, self._rows)
        return make if self._sparse is None else lambda: Sparse(make(), self._sparse)

    def _traced(
        self, leaves: list[Leaf], expected: Sequence[Any], concrete: bool = False
    ) -> list[Expression]:
        trace = Trace(leaves, self._files, tabulate, METHODS)
        trace.is_concrete = concrete
        trace.whole_texts = self._torn
        given = self._stand_in(trace)
        try:
            with self._met(trace):
                found = trace.explore(lambda: outputs_of(trace, self._function(given())), _merged)
        except CodeRefused:
            raise trace.refusals[0] if trace.refusals else CodeRefused("it is not traced") from None
        except Exception as error:
            if trace.refusals:
                raise trace.refusals[0] from None
            raise CodeRefused(
                f"it cannot be followed ({type(error).__name__}: {error})",
                "",
                line_of(self._files, error),
            ) from error
        if trace.refusals:
            raise trace.refusals[0]
        if len(found) != len(expected) or not all(
            equal(trace.values(one), real) for one, real in zip(found, expected, strict=True)
        ):
            raise CodeRefused("what was recorded of it is not what it gives")
        torn = torn_texts([*found, *trace.demands], leaves)
        if not torn <= self._torn:
            self._torn |= torn
            return self._traced(leaves, expected, concrete)
        for place in trace.concrete:
            _close(leaves[place])
        self._demands = list(trace.demands)
        return list(found)

    def _tabulated(
        self, leaves: list[Leaf], expected: Sequence[Any], refused: CodeRefused
    ) -> list[Expression]:
        """Return tables of a function of few values, which was called on each combination.

        The function gets no other columns: what it then answers depends on these alone.
        """
        own = leaves[: self._matrix.width]
        places = self._needed([place for place, leaf in enumerate(own) if leaf.domain], expected)
        domains = [leaves[place].domain or [] for place in places]
        if not places or prod(map(len, domains)) > MOST_CELLS:
            raise refused
        grid = list(product(*domains))
        rows = rows_like(picked(self._rows, places), grid)
        try:
            found = columns_of(self._function(rows))
        except Exception:
            raise refused from None
        if len(found) != len(expected) or any(len(column) != len(grid) for column in found):
            raise refused
        tables = [whole(places, grid, list(column)) for column in found]
        trace = Trace(leaves, self._files, tabulate, METHODS)
        if not all(
            equal(trace.values(one), real) for one, real in zip(tables, expected, strict=True)
        ):
            raise refused
        for place in places:
            _close(leaves[place])
        return tables

    def _needed(self, places: list[int], expected: Sequence[Any]) -> list[int]:
        """Return the columns without which a function fails; none if these are not enough."""

        def answers(chosen: list[int]) -> bool:
            try:
                found = columns_of(self._function(picked(self._rows, chosen)))
            except Exception:
                return False
            return len(found) == len(expected) and all(map(equal, found, expected))

        if not isinstance(self._rows, pd.DataFrame):
            return places if len(places) == self._matrix.width else []
        if not places or not answers(places):
            return []
        kept = places
        for place in places:
            fewer = [each for each in kept if each != place]
            kept = fewer if fewer and answers(fewer) else kept
        return kept

    def _blame(self, refused: CodeRefused, leaves: list[Leaf]) -> None:
        """Raise the refusal with the line at which a trace stops, where there is one."""
        if refused.line:
            return
        trace = Trace(leaves, self._files, tabulate, METHODS)
        try:
            with self._met(trace):
                given = self._stand_in(trace)
                trace.explore(lambda: outputs_of(trace, self._function(given())), _merged)
        except CodeRefused:
            pass
        except Exception:
            return
        if trace.refusals:
            stopped = trace.refusals[0]
            if "the other rows" in stopped.reason:
                raise CodeRefused(stopped.reason, stopped.remedy, stopped.line)
            raise CodeRefused(refused.reason, refused.remedy, stopped.line)

    def _check(self, found: Sequence[Expression], leaves: Sequence[Leaf]) -> None:
        for place, each in enumerate(handed_on(found)):
            if each.kind == "span":
                raise CodeRefused(f"its column {place} is a difference of dates", "use .dt.days")
            if each.kind == "moment" and each.operation != "leaf":
                raise CodeRefused(f"its column {place} is a computed date", "use its parts")
            if each.kind != "category":
                continue
            present = [
                value
                for value in values_of(each, leaves)
                if not isinstance(value, Mark) and not is_missing(value)
            ]
            texts = [value for value in present if isinstance(value, str)]
            if texts and len(texts) != len(present):
                raise CodeRefused(
                    f"its column {place} holds both texts and {type(present[0]).__name__} values",
                    "use texts alone, or numbers",
                )
            if not texts and not all(isinstance(value, (bool, int, float)) for value in present):
                raise CodeRefused(
                    f"its column {place} holds values of {type(present[0]).__name__}",
                    "use texts or numbers",
                )

    def _close(self, found: Sequence[Expression], leaves: Sequence[Leaf]) -> None:
        """Close the vocabularies whose unseen categories have no known value."""
        for each in handed_on(found):
            if each.kind == "category":
                passing = passing_leaves(each, leaves)
                for place in passing if len(passing) > 1 else ():
                    _close(leaves[place])
        seen: set[int] = set()
        waiting = list(found)
        while waiting:
            one = waiting.pop()
            if id(one) in seen:
                continue
            seen.add(id(one))
            waiting += one.arguments
            if one.operation == "table":
                for key, value in one.value.cells.items():
                    if value is UNKNOWN:
                        for leaf, part in zip(one.value.leaves, key, strict=True):
                            if part is UNSEEN:
                                _close(leaves[leaf])


def _close(leaf: Leaf) -> None:
    if leaf.vocabulary is not None:
        leaf.vocabulary.close()


def _merged(test: Expression, yes: list[Expression], no: list[Expression]) -> list[Expression]:
    if len(yes) != len(no):
        raise CodeRefused("it returns other columns on another way through its conditions")
    return [merge(test, *both) for both in zip(yes, no, strict=True)]
