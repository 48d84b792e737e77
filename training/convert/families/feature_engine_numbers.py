"""feature-engine's transformers of numbers and dates: bent, capped, cut into bins, combined."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
from sklearn.preprocessing import FunctionTransformer, PowerTransformer, StandardScaler

from sklambda.arrays import FloatVector
from training.convert.families.feature_engine import admitted, columns, encoder_of, refused, without
from training.convert.graph.graph import Elementwise, Graph, Matrix
from training.convert.graph.outputs import Outputs
from training.convert.graph.responses import response
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.steps import with_columns
from training.convert.graph.tables import stepped
from training.convert.graph.trees import last_left
from training.convert.unconverted import named

type Bend = Callable[[Estimator, Matrix, Scope], Matrix]
type Make = Callable[[Any], dict[str, Any]]


def _in_place(bend: Bend) -> Callable[[Estimator, Matrix, Scope], Matrix]:
    """Return the conversion that replaces the columns of ``variables_`` by bent ones."""

    def convert(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
        places = columns(estimator, estimator.variables_)
        if not places:
            return matrix
        bent = bend(estimator, scope.graph.take(matrix, places), scope)
        return with_columns(scope.graph, matrix, places, bent)

    return convert


def _values(estimator: Estimator, numbers: Mapping[Any, float] | float) -> FloatVector:
    """Return a fitted number for each of ``variables_``, [V]."""
    if isinstance(numbers, Mapping):
        return np.array([float(numbers[name]) for name in estimator.variables_])
    return np.full(len(estimator.variables_), float(numbers))


def _function(function: Any, matrix: Matrix, scope: Scope) -> Matrix:
    return scope.transform(function.__name__, FunctionTransformer(function), matrix)


def _logarithm(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    return _function(np.log if estimator.base == "e" else np.log10, matrix, scope)


def _reciprocal(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    return _function(np.reciprocal, matrix, scope)


def _shifted_logarithm(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    constants = _values(estimator, estimator.C_)
    added = scope.graph.node("Add", matrix.tensor, scope.graph.constant([constants]))
    steps = [Elementwise("+ C", partial(np.add, constant)) for constant in constants]
    return _logarithm(estimator, matrix.mapped(added, steps), scope)


def _power(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    exponent = float(estimator.exp)
    raised = scope.graph.node("Pow", matrix.tensor, scope.graph.constant(exponent))
    step = Elementwise(
        f"np.power(x, {exponent})", lambda values: np.power(values, exponent), False, (0.0,)
    )
    return matrix.mapped(raised, [step] * matrix.width)


def _lambdas(method: str, estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    bent = PowerTransformer(method, standardize=False)
    bent.lambdas_ = _values(estimator, estimator.lambda_dict_)
    bent.n_features_in_ = matrix.width
    return scope.transform(method, bent, matrix)


def _normalized(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scaler = StandardScaler()
    scaler.mean_ = _values(estimator, estimator.mean_)
    scaler.scale_ = _values(estimator, estimator.range_)
    scaler.n_features_in_ = matrix.width
    return scope.transform("scale", scaler, matrix)


def _capped(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    capped = matrix
    for side, caps in (("max", estimator.right_tail_caps_), ("min", estimator.left_tail_caps_)):
        for name, cap in caps.items():
            places = columns(estimator, [name])
            clip = FunctionTransformer(np.clip, kw_args={side: float(cap)})
            one = scope.transform("clip", clip, scope.graph.take(capped, places))
            capped = with_columns(scope.graph, capped, places, one)
    if not getattr(estimator, "add_indicators", False):
        return capped
    return scope.graph.join([capped, *_beyond(estimator, matrix, scope.graph)])


def _beyond(estimator: Estimator, matrix: Matrix, graph: Graph) -> Iterator[Matrix]:
    """Yield a column for each cap: 1 where a value was beyond it."""
    sides = {"Less": estimator.left_tail_caps_, "Greater": estimator.right_tail_caps_}
    for name in estimator.variables_:
        one = graph.take(matrix, columns(estimator, [name]))
        for operator, caps in sides.items():
            if name in caps:
                beyond = graph.node(operator, one.tensor, graph.constant(float(caps[name])))
                yield one.numbers(graph.double(beyond))


def _binned(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    places = columns(estimator, estimator.variables_)
    bounds = {
        place: _bounds(estimator.binner_dict_[name])
        for place, name in zip(places, estimator.variables_, strict=True)
    }
    known = {place: [*each] or [1.0] for place, each in bounds.items()}
    encoder = encoder_of(estimator, matrix, known, list(estimator.feature_names_in_))
    return stepped(encoder, bounds, matrix, scope)


def _bounds(fitted: Any) -> FloatVector:
    """Return the values at which bins end, each of which belongs to the bin below."""
    if hasattr(fitted, "best_estimator_"):
        tree = fitted.best_estimator_.tree_
        return np.unique(last_left(tree.threshold[tree.children_left >= 0]))
    first, *others = (float(edge) for edge in fitted)
    # The first edge itself belongs to the first bin, and what is below to none.
    edges = [np.nextafter(first, -np.inf), *others]
    return np.unique([edge for edge in edges if np.isfinite(edge)])


def _of_trees(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    if estimator.precision is not None:
        scope.refuse(f"{named(estimator)}(precision=...) rounds its trees: leave precision out")
    graph, made = scope.graph, [matrix]
    for names, tree in zip(estimator.input_features_, estimator.estimators_, strict=True):
        used = [names] if isinstance(names, str) else [*names]
        outputs = scope.predict(
            f"tree({names})", tree, graph.take(matrix, columns(estimator, used))
        )
        if estimator.regression:
            made.append(response(outputs, tree, "predict", scope))
        elif estimator._is_binary == "binary":
            both = response(outputs, tree, "predict_proba", scope)
            made.append(graph.take(both, [both.width - 1]))
        else:
            scope.refuse(f"{named(estimator)} of several classes makes labels: use regression=True")
    found = graph.join(made)
    if not estimator.drop_original:
        return found
    return without(estimator, found, estimator.variables_, scope)


def _followed(
    make_of: Callable[[Estimator, Scope], tuple[Make, Sequence[Any]]],
) -> Callable[..., Matrix | Outputs]:
    """Return the conversion of a transformer by code that does the same, in plain pandas.

    What makes the new columns of a frame comes with the columns that may be dropped for them.
    """

    def convert(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix | Outputs:
        make, used = make_of(estimator, scope)
        dropped = list(used) if estimator.drop_original else []

        def code(frame: Any) -> Any:
            frame = frame.assign(**make(frame))
            return frame.drop(columns=dropped) if dropped else frame

        return scope.follow(estimator, matrix, code)

    return convert


def _aggregated(estimator: Estimator, scope: Scope) -> tuple[Make, Sequence[Any]]:
    functions = estimator.func if isinstance(estimator.func, list) else [estimator.func]
    names = [str(getattr(each, "__name__", each)) for each in functions]
    for name in names:
        if name not in ("max", "mean", "min", "prod", "sum"):
            scope.refuse(
                f"{named(estimator)}(func={name!r}) has no exact conversion: use 'sum', 'mean', "
                "'min', 'max' or 'prod'"
            )
    used = list(estimator.variables)

    def make(frame: Any) -> dict[str, Any]:
        return {f"made {name}": getattr(frame[used], name)(axis=1) for name in names}

    return make, used


_OPERATIONS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "add": lambda one, other: one + other,
    "sub": lambda one, other: one - other,
    "mul": lambda one, other: one * other,
    "div": lambda one, other: one / other,
    "truediv": lambda one, other: one / other,
    "floordiv": lambda one, other: one // other,
    "mod": lambda one, other: one % other,
    "pow": lambda one, other: one**other,
}
_DIVIDING: Final = ("div", "truediv", "floordiv", "mod")


def _relative(estimator: Estimator, scope: Scope) -> tuple[Make, Sequence[Any]]:
    fill = estimator.fill_value
    dividing = [name for name in estimator.func if name in _DIVIDING]
    if dividing and fill is None:
        scope.refuse(
            f"{named(estimator)}(func={dividing[0]!r}, fill_value=None) refuses rows whose "
            "divisor is 0 alone, which no range says: set fill_value"
        )
    used, references = list(estimator.variables), list(estimator.reference)
    wanted = [(name, one, other) for name in estimator.func for other in references for one in used]

    def make(frame: Any) -> dict[str, Any]:
        made = {}
        for name, one, other in wanted:
            found = _OPERATIONS[name](frame[one], frame[other])
            if name in _DIVIDING:
                found = found.where(frame[other] != 0, fill)
            made[f"{one} {name} {other}"] = found
        return made

    return make, list({*used, *references})


def _cyclical(estimator: Estimator, scope: Scope) -> tuple[Make, Sequence[Any]]:
    used, most = list(estimator.variables_), estimator.max_values_

    def make(frame: Any) -> dict[str, Any]:
        made = {}
        for name in used:
            turned = frame[name] * (2.0 * 3.141592653589793 / most[name])
            made[f"{name} sin"] = np.sin(turned)
            made[f"{name} cos"] = np.cos(turned)
        return made

    return make, used


_PARTS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "month": lambda dates: dates.month,
    "quarter": lambda dates: dates.quarter,
    "semester": lambda dates: (dates.month > 6).astype("int64") + 1,
    "year": lambda dates: dates.year,
    "week": lambda dates: dates.isocalendar().week.astype("int64"),
    "day_of_week": lambda dates: dates.dayofweek,
    "day_of_month": lambda dates: dates.day,
    "day_of_year": lambda dates: dates.dayofyear,
    "weekend": lambda dates: (dates.dayofweek > 4).astype("int64"),
    "month_start": lambda dates: dates.is_month_start.astype("int64"),
    "month_end": lambda dates: dates.is_month_end.astype("int64"),
    "quarter_start": lambda dates: dates.is_quarter_start.astype("int64"),
    "quarter_end": lambda dates: dates.is_quarter_end.astype("int64"),
    "year_start": lambda dates: dates.is_year_start.astype("int64"),
    "year_end": lambda dates: dates.is_year_end.astype("int64"),
    "leap_year": lambda dates: dates.is_leap_year.astype("int64"),
    "days_in_month": lambda dates: dates.days_in_month.astype("int64"),
    "hour": lambda dates: dates.hour,
    "minute": lambda dates: dates.minute,
    "second": lambda dates: dates.second,
}


def _dates(estimator: Estimator, scope: Scope) -> tuple[Make, Sequence[Any]]:
    if estimator.variables == "index":
        scope.refuse(
            f"{named(estimator)}(variables='index'): make the dates a column, which rows have"
        )
    used, parts = list(estimator.variables_), list(estimator.features_to_extract_)

    def make(frame: Any) -> dict[str, Any]:
        return {f"{name} {part}": _PARTS[part](frame[name].dt) for name in used for part in parts}

    return make, used


def _between_dates(estimator: Estimator, scope: Scope) -> tuple[Make, Sequence[Any]]:
    unit = np.timedelta64(1, estimator.output_unit).astype("timedelta64[ns]")
    seconds = float(unit.astype(np.int64)) / 1e9
    if not seconds:
        scope.refuse(f"{named(estimator)}(output_unit={estimator.output_unit!r}): use 'ns' or more")
    used, references = list(estimator.variables_), list(estimator.reference_)

    def make(frame: Any) -> dict[str, Any]:
        return {
            f"{one} less {other}": (frame[one] - frame[other]).dt.total_seconds() / seconds
            for other in references
            for one in used
        }

    return make, list({*used, *references})


def _dates_only(change: Any) -> Convert:
    """Refuse dates that are written as text."""

    def convert(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix | Outputs:
        names = [*estimator.variables_, *getattr(estimator, "reference_", ())]
        for place, name in zip(columns(estimator, names), names, strict=True):
            if matrix.vocabularies[place] is not None:
                scope.refuse(
                    f"{named(estimator)} reads the dates of {name!r} out of text, which has no "
                    "exact conversion: parse the column before fitting, by pd.to_datetime"
                )
        found: Matrix | Outputs = change(estimator, matrix, scope)
        return found

    return convert


_unconverted = partial(refused, "has no exact conversion")
_BINS: Final = "return_object return_boundaries precision "
_PARSING: Final = "variables dayfirst yearfirst utc format missing_values drop_original "

CONVERTERS: Final[Mapping[str, Convert]] = {
    f"feature_engine.{name}": convert
    for name, convert in {
        "ArbitraryDiscretiser": admitted(_BINS + "binning_dict errors", _binned),
        "ArbitraryOutlierCapper": admitted(
            "max_capping_dict min_capping_dict missing_values", _capped
        ),
        "ArcSinhTransformer": _unconverted("use LogCpTransformer or YeoJohnsonTransformer"),
        "ArcsinTransformer": _unconverted(
            "use PowerTransformer(exp=0.5), or leave it out before trees"
        ),
        "BoxCoxTransformer": admitted("variables", _in_place(partial(_lambdas, "box-cox"))),
        "CyclicalFeatures": admitted("variables max_values drop_original", _followed(_cyclical)),
        "DatetimeFeatures": _dates_only(
            admitted(_PARSING + "features_to_extract", _followed(_dates))
        ),
        "DatetimeOrdinal": _unconverted("use DatetimeSubtraction, whose days it counts"),
        "DatetimeSubtraction": _dates_only(
            admitted(
                _PARSING + "reference new_variables_names output_unit", _followed(_between_dates)
            )
        ),
        "DecisionTreeDiscretiser": admitted(
            "variables bin_output precision cv scoring param_grid regression random_state", _binned
        ),
        "DecisionTreeFeatures": admitted(
            "variables features_to_combine precision cv scoring param_grid regression "
            "random_state missing_values drop_original",
            _of_trees,
        ),
        "EqualFrequencyDiscretiser": admitted(_BINS + "variables q", _binned),
        "EqualWidthDiscretiser": admitted(_BINS + "variables bins", _binned),
        "GeoDistanceFeatures": _unconverted("compute the distance before fitting, as a column"),
        "GeometricWidthDiscretiser": admitted(_BINS + "variables bins", _binned),
        "LogCpTransformer": admitted("variables base C", _in_place(_shifted_logarithm)),
        "LogTransformer": admitted("variables base", _in_place(_logarithm)),
        "MathFeatures": admitted(
            "variables func new_variables_names missing_values drop_original",
            _followed(_aggregated),
        ),
        "MeanNormalizationScaler": admitted("variables", _in_place(_normalized)),
        "PowerTransformer": admitted("variables exp", _in_place(_power)),
        "ReciprocalTransformer": admitted("variables", _in_place(_reciprocal)),
        "RelativeFeatures": admitted(
            "variables reference func fill_value missing_values drop_original",
            _followed(_relative),
        ),
        "Winsorizer": admitted(
            "capping_method tail fold add_indicators variables missing_values", _capped
        ),
        "YeoJohnsonTransformer": admitted("variables", _in_place(partial(_lambdas, "yeo-johnson"))),
    }.items()
}
