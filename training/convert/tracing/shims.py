"""Names of the user's modules that stand for what does not meet stand-ins by itself.

``np.asarray``, ``pd.DataFrame(...)``, ``math.log`` and ``int`` ask no protocol of their argument.
So the names that the user's own modules give them stand for other functions meanwhile.
numpy and pandas themselves stay as they are: compiled code calls them too.
"""

import builtins
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import FunctionType, ModuleType
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

import training.convert.tracing.delegated.texts as texts
import training.convert.tracing.numpy_functions as on_stand_ins
from training.convert.tracing.columns import Scalar, cast
from training.convert.tracing.delegated.text_steps import regex_of
from training.convert.tracing.frames import Frame, constant_column, grid
from training.convert.tracing.numpy_functions import array, holds, side_by_side, trace_of
from training.convert.tracing.refusals import LEARNT, OTHER_ROWS
from training.convert.tracing.trace import Trace

type Scope = dict[str, Any]

_LIBRARIES: Final = frozenset(
    ("numpy", "pandas", "sklearn", "scipy", "math", "builtins", "training", "sklambda", "joblib")
)


def scopes_of(functions: list[Any]) -> tuple[list[Scope], set[str]]:
    """Return the global names and the files of the user's code that functions may run."""
    found = list(reached(functions))
    scopes = {id(each.__globals__): each.__globals__ for each in found}
    return list(scopes.values()), {each.__code__.co_filename for each in found}


def names_used(functions: list[Any]) -> set[str]:
    """Return the names that the user's code uses, attributes among them."""
    return {
        name
        for function in reached(functions, with_classes=False)
        for code in _codes(function.__code__)
        for name in code.co_names
    }


def reached(functions: list[Any], with_classes: bool = True) -> Iterator[FunctionType]:
    """Find the user's functions among some, and those that they name; of classes, all methods."""
    seen: set[int] = set()
    waiting = list(functions)
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if with_classes and isinstance(one, type):
            if not is_of_library(one):
                waiting += [each for each in vars(one).values() if _is_code(each)]
                waiting += [each for each in one.__mro__[1:] if not is_of_library(each)]
            continue
        function = _function(one)
        if function is not None and not is_of_library(function):
            yield function
            waiting += _named(function)


def _is_code(value: Any) -> bool:
    return isinstance(value, (FunctionType, staticmethod, classmethod, property))


def _function(value: Any) -> FunctionType | None:
    while not isinstance(value, FunctionType):
        inner = getattr(value, "__func__", None) or getattr(value, "func", None)
        inner = inner or getattr(value, "fget", None) or getattr(value, "__wrapped__", None)
        if inner is None or inner is value:
            return None
        value = inner
    wrapped = getattr(value, "__wrapped__", None)
    return _function(wrapped) if wrapped is not None else value


def is_of_library(value: Any) -> bool:
    """Check whether a class or a function is none of the user's."""
    return str(getattr(value, "__module__", "")).split(".")[0] in _LIBRARIES


def _named(function: FunctionType) -> list[Any]:
    """Return the functions and classes that a function's code names, or closes over."""
    cells = [cell.cell_contents for cell in function.__closure__ or () if _is_full(cell)]
    names = {name for code in _codes(function.__code__) for name in code.co_names}
    values = [function.__globals__[name] for name in names if name in function.__globals__]
    found = (*cells, *values, *(function.__defaults__ or ()))
    return [
        each if isinstance(each, type) or _function(each) is not None else type(each)
        for each in found
        if not isinstance(each, ModuleType)
    ]


def _is_full(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # not assigned yet
        return False


def _codes(code: Any) -> Iterator[Any]:
    yield code
    for each in code.co_consts:
        if hasattr(each, "co_names"):
            yield from _codes(each)


class _Module(ModuleType):
    """A module of which some names stand for others."""

    def __init__(self, real: ModuleType, names: Mapping[str, Any]) -> None:
        super().__init__(real.__name__)
        self.__dict__.update(names)
        self.__dict__["_real"] = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_real"], name)


@contextmanager
def shimmed(trace: Trace, scopes: list[Scope]) -> Iterator[None]:
    """Let names of the user's modules stand for functions of stand-ins meanwhile."""
    modules, named = _replacements(trace)
    changed: list[tuple[Scope, str, Any]] = []
    for scope in scopes:
        for name, value in list(scope.items()):
            other = modules.get(id(value)) or named.get(id(value))
            if type(value) is re.Pattern:
                other = _Pattern(value)
            if type(value) is np.vectorize and not value.excluded:
                other = _Vectorized(value.pyfunc, {"otypes": value.otypes})
            if other is not None:
                changed.append((scope, name, value))
                scope[name] = other
    added = [scope for scope in scopes if "len" not in scope]
    for scope in added:  # of loops over a column, which meet one row
        scope["len"] = _builtins(trace)["len"]
    trace.of_one_row = lambda: _with_builtins(trace, scopes)
    try:
        yield
    finally:
        for scope, name, value in changed:
            scope[name] = value
        for scope in added:
            del scope["len"]


@contextmanager
def _with_builtins(trace: Trace, scopes: list[Scope]) -> Iterator[None]:
    """Let Python's own functions of one value stand for others, while the code has one row.

    Elsewhere ``float`` and ``str`` are dtypes.
    """
    added: list[tuple[Scope, str]] = []
    for scope in scopes:
        for name, other in _builtins(trace).items():
            if name not in scope:
                added.append((scope, name))
                scope[name] = other
    try:
        yield
    finally:
        for scope, name in added:
            del scope[name]


def _replacements(trace: Trace) -> tuple[dict[int, Any], dict[int, Any]]:
    """Return what stands for modules, and for functions imported by name, by identity."""
    by_module: dict[ModuleType, dict[str, Any]] = {
        np: _of_numpy(trace),
        re: _OF_RE,
        pd: _of_pandas(trace),
        math: _of_math(),
    }
    modules = {id(each): _Module(each, names) for each, names in by_module.items()}
    named = {
        id(getattr(each, name)): other
        for each, names in by_module.items()
        for name, other in names.items()
    }
    named[id(check_array)] = _checked(check_array, 0)
    named[id(validate_data)] = _checked(validate_data, 1)
    return modules, named


def _or_real(real: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls `function` where an argument holds a stand-in."""

    def either(*inputs: Any, **options: Any) -> Any:
        if holds([*inputs]) is None and holds({**options}) is None:
            return real(*inputs, **options)
        return function(*inputs, **options)

    return either


def _refused(name: str) -> Callable[..., Any]:
    def refuse(*inputs: Any, **options: Any) -> Any:
        short = name.rpartition(".")[2]
        trace_of([*inputs, *options.values()]).refuse(
            f"{name} looks at the other rows", LEARNT.get(short, OTHER_ROWS)
        )

    return refuse


def _checked(real: Any, place: int) -> Callable[..., Any]:
    """Return scikit-learn's check of an array: it checks the sample, and passes the columns on."""

    def check(*inputs: Any, **options: Any) -> Any:
        data: Any = inputs[place] if len(inputs) > place else options.get("X")
        if holds(data) is None:
            return real(*inputs, **options)
        plain = check_array(
            data.shadow,
            ensure_all_finite=options.get(
                "force_all_finite", options.get("ensure_all_finite", True)
            ),
            dtype=options.get("dtype", "numeric"),
            ensure_2d=options.get("ensure_2d", True),
        )
        made = array(data)
        return made if plain.dtype == object else made.astype(plain.dtype)

    return check


def _of_numpy(trace: Trace) -> dict[str, Any]:
    def filled(real: Any, value: Any) -> Callable[..., Any]:
        def make(shape: Any, *inputs: Any, **options: Any) -> Any:
            made = real(shape, *inputs, **options)
            if not made.ndim or made.shape[0] != trace.count or made.ndim > 2:
                return made
            one = value if value is not None else made.flat[0] if made.size else 0.0
            if made.ndim == 1:
                return constant_column(trace, made.dtype.type(one))
            return grid(trace, [made.dtype.type(one)] * made.shape[1])

        return make

    return {
        "array": _or_real(np.array, array),
        "asarray": _or_real(np.asarray, array),
        "ascontiguousarray": _or_real(np.ascontiguousarray, array),
        "asanyarray": _or_real(np.asanyarray, array),
        "atleast_2d": _or_real(np.atleast_2d, array),
        "c_": _Side(),
        "empty": filled(np.empty, np.nan),
        "full": filled(np.full, None),
        "ones": filled(np.ones, None),
        "vectorize": lambda function, **options: _Vectorized(function, options),
        "zeros": filled(np.zeros, None),
    }


def _searching(real: Callable[..., Any], before: str = "", after: str = "") -> Callable[..., Any]:
    def search(pattern: Any, text: Any, flags: Any = 0) -> Any:
        if not isinstance(text, Scalar):
            return real(pattern, text, flags)
        found = regex_of(pattern, flags)
        if before and found is not None:
            found = f"{before}(?:{found}){after}"
        return texts.searched(text, found)

    return search


def _substitute(pattern: Any, repl: Any, string: Any, count: int = 0, flags: Any = 0) -> Any:
    if not isinstance(string, Scalar):
        return re.sub(pattern, repl, string, count=count, flags=flags)
    if count:
        string.trace.refuse("re.sub with a count", "replace all")
    return texts.substituted(string, regex_of(pattern, flags), repl)


_OF_RE: Final[dict[str, Any]] = {
    "fullmatch": _searching(re.fullmatch, r"\A", r"\Z"),
    "match": _searching(re.match, r"\A"),
    "search": _searching(re.search),
    "sub": _substitute,
}


class _Pattern:
    """A compiled regular expression, which takes stand-ins too."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        found = _OF_RE.get(name)
        return getattr(self._real, name) if found is None else partial(found, self._real)


class _Side:
    """``np.c_``."""

    def __getitem__(self, parts: Any) -> Any:
        several = parts if isinstance(parts, tuple) else (parts,)
        return np.c_[parts] if holds(list(several)) is None else side_by_side(list(several))


class _Vectorized:
    """``np.vectorize(function)``."""

    def __init__(self, function: Any, options: Mapping[str, Any]) -> None:
        self._function, self._options = function, options

    def __call__(self, *inputs: Any) -> Any:
        if holds([*inputs]) is None:
            return np.vectorize(self._function, **self._options)(*inputs)
        return on_stand_ins.vectorized(self._function)(*inputs)


def _of_pandas(trace: Trace) -> dict[str, Any]:
    other_rows = ("qcut", "factorize", "merge")
    return {
        "DataFrame": _class(pd.DataFrame, on_stand_ins.to_frame, trace),
        "Series": _class(pd.Series, on_stand_ins.to_series, trace),
        "concat": _or_real(pd.concat, on_stand_ins.joined),
        "cut": _or_real(pd.cut, on_stand_ins.cut),
        "get_dummies": _or_real(pd.get_dummies, on_stand_ins.dummies),
        "isna": _or_real(pd.isna, on_stand_ins.is_missing),
        "isnull": _or_real(pd.isnull, on_stand_ins.is_missing),
        "notna": _or_real(pd.notna, on_stand_ins.is_present),
        "notnull": _or_real(pd.notnull, on_stand_ins.is_present),
        "to_datetime": _or_real(pd.to_datetime, on_stand_ins.to_dates),
        "to_numeric": _or_real(pd.to_numeric, on_stand_ins.to_number),
        **{name: _or_real(getattr(pd, name), _refused(f"pd.{name}")) for name in other_rows},
    }


def _class(real: type, make: Callable[..., Any], trace: Trace) -> type:
    """Return what stands for a class: calls and isinstance both work."""

    class Meta(type):
        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, real)

        def __getattr__(cls, name: str) -> Any:
            return getattr(real, name)

        def __call__(cls, *inputs: Any, **options: Any) -> Any:
            if holds([*inputs]) is not None or holds(options.get("data")) is not None:
                return make(*inputs, **options)
            index = options.get("index")
            if real is pd.DataFrame and not inputs and "data" not in options and index is not None:
                return Frame(trace, [], pd.DataFrame(index=trace.index))
            if real is pd.DataFrame and not inputs and not options:
                return Frame(trace, [], pd.DataFrame(index=trace.index))
            return real(*inputs, **options)

    return Meta(real.__name__, (), {})


def _of_math() -> dict[str, Any]:
    def logarithm(value: Any, base: Any = None) -> Any:
        return np.log(value) if base is None else np.log(value) / math.log(base)

    names = {name: _or_real(getattr(math, name), ufunc) for name, ufunc in _OF_MATH.items()}
    return {**names, "log": _or_real(math.log, logarithm)}


_OF_MATH: Final[Mapping[str, Any]] = {
    "acos": np.arccos,
    "asin": np.arcsin,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "ceil": np.ceil,
    "cos": np.cos,
    "degrees": np.degrees,
    "exp": np.exp,
    "expm1": np.expm1,
    "fabs": np.fabs,
    "floor": np.floor,
    "fmod": np.fmod,
    "hypot": np.hypot,
    "isfinite": np.isfinite,
    "isinf": np.isinf,
    "isnan": np.isnan,
    "log10": np.log10,
    "log1p": np.log1p,
    "log2": np.log2,
    "pow": np.power,
    "radians": np.radians,
    "sin": np.sin,
    "sqrt": np.sqrt,
    "tan": np.tan,
    "tanh": np.tanh,
    "trunc": np.trunc,
}


def _builtins(trace: Trace) -> dict[str, Any]:
    """Return what stands for Python's own functions of one value."""

    def length(value: Any) -> Any:
        if not isinstance(value, (Scalar, texts.Parts)):
            return builtins.len(value)
        found = texts.length_of(value)
        if found is not None:
            return found
        return Scalar(trace, *trace.apply("len", lambda each: each.map(builtins.len), (value,)))

    return {
        "float": _type(float, np.float64, trace),
        "int": _type(int, np.int64, trace),
        "str": _type(str, str, trace),
        "len": length,
        "isinstance": _instance(trace),
    }


def _type(real: type, to: Any, trace: Trace) -> type:
    class Meta(type):
        def __instancecheck__(cls, instance: Any) -> bool:
            return builtins.isinstance(instance, real)

        def __getattr__(cls, name: str) -> Any:
            return getattr(real, name)

        def __eq__(cls, other: object) -> bool:
            return other is cls or other is real

        def __hash__(cls) -> int:
            return hash(real)

        def __call__(cls, *inputs: Any, **options: Any) -> Any:
            if len(inputs) != 1 or not isinstance(inputs[0], Scalar):
                return real(*inputs, **options)
            value = inputs[0]
            if texts.source_of(trace, value.expression) is not None:
                return cast(value, to)
            if value.expression.kind == "category":
                pair = trace.apply(real.__name__, lambda each: each.map(real), (value,))
                return Scalar(trace, *pair)
            return cast(value, to)

    return Meta(real.__name__, (), {})


def _instance(trace: Trace) -> Callable[[Any, Any], bool]:
    """Return isinstance, which of a value of one row depends on the row."""

    def plain(kinds: Any) -> Any:
        several = kinds if builtins.isinstance(kinds, tuple) else (kinds,)
        return tuple(
            {"float": float, "int": int, "str": str}.get(getattr(each, "__name__", ""), each)
            for each in several
        )

    def check(value: Any, kinds: Any) -> bool:
        if not builtins.isinstance(value, Scalar):
            return builtins.isinstance(value, kinds)
        classes = plain(kinds)
        if value.expression.kind == "category":
            pair = trace.apply(
                "isinstance",
                lambda each: each.map(lambda one: builtins.isinstance(one, classes)),
                (value,),
            )
            return bool(Scalar(trace, *pair))
        found = {builtins.isinstance(each, classes) for each in value.shadow.tolist()}
        if len(found) != 1:
            trace.refuse("isinstance of a value of several types")
        return found.pop()

    return check
