"""Texts: counts of terms, which the codec makes, and what vectorisers make of the counts."""

import re
import warnings
from collections.abc import Callable
from copy import copy
from typing import Any, Final, NoReturn
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from onnx import TensorProto
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.preprocessing import FunctionTransformer, Normalizer

from sklambda.errors import DocumentInvalid
from sklambda.session import INPUT
from sklambda.signature import Analyzer, TermCounts
from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.vocabulary import Vocabulary
from training.convert.unconverted import qualified

_LOGARITHMS: Final = 4096
"""Up to which count a logarithm is scikit-learn's to the last bit."""

_MOST_HASHED: Final = 2**14
"""The most columns of hashes: of each row all are held, 128 KB."""

_WEIGHING: Final = "norm use_idf smooth_idf sublinear_tf"
_MEMBERS: Final = ("steps", "transformer_list", "estimators", "estimator", "regressor")


type Input = pd.DataFrame | pd.Series[Any] | list[dict[str, Any]]


def takes_texts(estimator: Estimator) -> bool:
    """Check whether an estimator's input is a series of texts and not a table."""
    return _begins_with((CountVectorizer, HashingVectorizer), estimator)


def takes_dictionaries(estimator: Estimator) -> bool:
    """Check whether an estimator's input is a list of dictionaries and not a table."""
    return _begins_with(DictVectorizer, estimator)


def _iterates_over_texts(estimator: Estimator, frame: pd.DataFrame) -> bool:
    """Check whether a pipeline whose first step is the user's takes a series, and no table.

    A loop over a table is one over the names of its columns.
    """
    if frame.shape[1] != 1 or not _begins_with(
        (CountVectorizer, HashingVectorizer), estimator, True
    ):
        return False
    if estimator not in _TAKES_SERIES:
        rows = frame.iloc[[0, 0, 0]].reset_index(drop=True)
        _TAKES_SERIES[estimator] = not _answers(estimator, rows) and _answers(
            estimator, rows.iloc[:, 0]
        )
    return _TAKES_SERIES[estimator]


_TAKES_SERIES: Final[WeakKeyDictionary[Any, bool]] = WeakKeyDictionary()


def _answers(estimator: Estimator, rows: Any) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return len(estimator.predict(rows)) == len(rows)
        except Exception:  # the user's code may raise anything
            return False


def _begins_with(
    kind: type | tuple[type, ...], estimator: Estimator, behind_own: bool = False
) -> bool:
    """Check whether an estimator is of a kind, or begins with one, or behind the user's own."""
    if isinstance(estimator, kind):
        return True
    if not hasattr(estimator, "get_params"):
        return False
    parameters = estimator.get_params(deep=False)
    members = [member for name in _MEMBERS for member in _members(parameters.get(name))]
    if "steps" in parameters:
        members = [
            member
            for member in members
            if not (_passes(member) or _takes_other(member) or (behind_own and _is_own(member)))
        ][:1]
    return any(_begins_with(kind, member, behind_own) for member in members)


def _is_own(step: Any) -> bool:
    """Check whether a transformer is of the user's own class."""
    return hasattr(step, "transform") and not type(step).__module__.startswith("sklearn.")


def _takes_other(step: Any) -> bool:
    """Check whether a step is a function of something else than a table: it returns no names."""
    return isinstance(step, FunctionTransformer) and not hasattr(step, "feature_names_in_")


def _members(value: Any) -> list[Any]:
    return [member for _, member in value] if isinstance(value, list) else [value]


def _passes(step: Estimator) -> bool:
    identity = isinstance(step, FunctionTransformer) and step.func is None
    return identity or step is None or isinstance(step, str)


def pipeline_input(estimator: Estimator, frame: pd.DataFrame) -> Input:
    """Return the rows of a frame in the form that an estimator takes.

    Texts are the one column: of a frame a vectoriser would read the names. A dictionary is without
    what a row is missing.
    """
    if takes_texts(estimator) or _iterates_over_texts(estimator, frame):
        return frame.iloc[:, 0]
    if not takes_dictionaries(estimator):
        return frame
    present = frame.notna().to_numpy()
    return [
        {str(key): value for (key, value), there in zip(row.items(), flags, strict=True) if there}
        for row, flags in zip(frame.to_dict("records"), present, strict=True)
    ]


def is_code_of(function: Any, model: Callable[[Any], Any]) -> bool:
    """Check whether a function of one argument is compiled to the code of a model."""
    return _code(function) is not None and _code(function) == _code(model)


def _code(function: Any) -> tuple[bytes, tuple[str, ...], tuple[object, ...]] | None:
    code = getattr(function, "__code__", None)
    if code is None or code.co_argcount != 1 or function.__closure__ or function.__defaults__:
        return None
    constants = tuple(value for value in code.co_consts if value is not None)
    return code.co_code, code.co_names, constants


def separator_of(function: Any) -> str | None:
    """Return the text at which a function does nothing but split; None if it does anything else.

    A separator that may overlap itself, as two dots in three, is none.
    """
    code = _code(function)
    constants = () if code is None else code[2]
    if code is None or len(constants) != 1 or not isinstance(constants[0], str):
        return None
    separator = constants[0]
    alike = _code(lambda text: text.split(","))
    overlaps = any(separator.startswith(separator[end:]) for end in range(1, len(separator)))
    if alike is None or code[:2] != alike[:2] or not separator or overlaps:
        return None
    return separator


def _prepared(estimator: Estimator, matrix: Matrix, scope: Scope) -> tuple[Estimator, Matrix]:
    """Follow a preprocessor of the user's, and return the vectoriser without it."""
    own = estimator.preprocessor
    known = (None, str.lower)
    if own in known or callable(estimator.analyzer) or scope.user_code is None or _is_known(own):
        return estimator, matrix

    def prepare(texts: Any) -> Any:
        return pd.Series(texts).map(own) if isinstance(texts, list) else texts.map(own)

    prepare.__wrapped__ = own  # type: ignore[attr-defined]
    followed = scope.follow(estimator, matrix, prepare)
    assert isinstance(followed, Matrix)
    plain = copy(estimator).set_params(preprocessor=None, lowercase=False, strip_accents=None)
    return plain, followed


def _is_known(function: Any) -> bool:
    return is_code_of(function, lambda text: text) or is_code_of(
        function, lambda text: text.lower()
    )


def _count_vectorizer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    _admit(estimator, scope)
    estimator, matrix = _prepared(estimator, matrix, scope)
    return _counts(estimator, matrix, scope)


def _tfidf_vectorizer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    _admit(estimator, scope, _WEIGHING)
    estimator, matrix = _prepared(estimator, matrix, scope)
    return scope.transform("tfidf", estimator._tfidf, _counts(estimator, matrix, scope))


def _admit(
    estimator: Estimator,
    scope: Scope,
    more: str = "",
    dtypes: tuple[object, ...] = (np.float64, np.int64, float, int),
) -> None:
    scope.admit(
        estimator,
        # A client sends no bytes, so nothing is decoded; what shapes the terms has done so.
        free="encoding decode_error max_df min_df max_features vocabulary lowercase stop_words "
        f"token_pattern ngram_range binary analyzer strip_accents preprocessor tokenizer {more}",
        only={"input": ("content",), "dtype": dtypes},
    )


def _of_texts(estimator: Estimator, matrix: Matrix, scope: Scope) -> Vocabulary:
    vocabulary = matrix.vocabularies[0] if matrix.width == 1 else None
    if vocabulary is None:
        scope.refuse(
            f"{type(estimator).__name__} takes one column of texts: name its column by a string in "
            "ColumnTransformer"
        )
    if vocabulary.is_tabulated:
        scope.refuse(
            f"{type(estimator).__name__} takes texts that code makes of known ones alone: "
            "compute what the code makes of it before training, or use methods of texts and re.sub"
        )
    return vocabulary


def _counts(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    kind, graph = type(estimator).__name__, scope.graph
    vocabulary = _of_texts(estimator, matrix, scope)
    terms = tuple(estimator.get_feature_names_out())
    if not all(isinstance(term, str) for term in terms):
        scope.refuse(f"{kind} has a term that is not a string: give it a vocabulary of strings")
    made = TermCounts(
        feature="",
        analyzer=_analyzer(estimator, scope),
        terms=terms,
    )
    counts = text_columns(graph, vocabulary, made)
    if estimator.binary:
        counts = graph.node("Min", counts, graph.constant(1.0))
    return matrix.numbers(counts, len(terms))


def _hashing_vectorizer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    _admit(estimator, scope, "n_features alternate_sign norm", (np.float64, float))
    estimator, matrix = _prepared(estimator, matrix, scope)
    graph, columns = scope.graph, estimator.n_features
    vocabulary = _of_texts(estimator, matrix, scope)
    if columns > _MOST_HASHED:
        scope.refuse(
            f"{qualified(estimator)}(n_features={columns}) makes more than {_MOST_HASHED} columns, "
            "which the service would hold for each row: fit it with n_features=2**12, or use "
            "TfidfVectorizer(max_features=...)"
        )
    if estimator.binary and estimator.alternate_sign:
        scope.refuse(
            f"{qualified(estimator)}(binary=True) counts 1 where terms of two signs cancel: "
            "use alternate_sign=False"
        )
    made = TermCounts(
        feature="",
        analyzer=_analyzer(estimator, scope),
        hashed=columns,
        signed=bool(estimator.alternate_sign),
    )
    counts = text_columns(graph, vocabulary, made)
    if estimator.binary:
        counts = graph.node("Min", counts, graph.constant(1.0))
    hashed = matrix.numbers(counts, columns)
    if estimator.norm is None:
        return hashed
    return scope.transform("norm", Normalizer(norm=estimator.norm), hashed)


def text_columns(graph: Graph, vocabulary: Vocabulary, counts: TermCounts) -> str:
    """Return the columns that are made of a feature's texts, [N, counts.width]."""
    if vocabulary.origin is not None:
        vocabulary, steps = vocabulary.origin
        counts = counts.replace(steps=(*steps, *counts.steps))
    first = vocabulary.counted(counts, graph.widen)
    return _slice(graph, first, first + counts.width)


def read_text(
    graph: Graph, vocabulary: Vocabulary, counts: TermCounts, codes: Vocabulary | None
) -> str:
    """Return the column of what a feature's texts are read as, [N, 1]."""
    if vocabulary.origin is not None:
        vocabulary, steps = vocabulary.origin
        counts = counts.replace(steps=(*steps, *counts.steps))
    place = vocabulary.derived(counts, codes, graph.widen)
    return _slice(graph, place, place + 1)


def _analyzer(estimator: Estimator, scope: Scope) -> Analyzer:
    lowercase, strip_accents = _preparation(estimator, scope)
    settings: dict[str, Any] = {"lowercase": lowercase, "strip_accents": strip_accents}
    if callable(estimator.analyzer):
        # Alone it is all that is done to a text.
        pattern = _pattern(estimator, "analyzer", scope)
        return Analyzer(analyzer="word", ngram_range=(1, 1), lowercase=False, token_pattern=pattern)
    if estimator.analyzer == "word":
        own = estimator.tokenizer is not None
        words = estimator.get_stop_words() or ()
        settings |= {
            "token_pattern": _pattern(estimator, "tokenizer", scope)
            if own
            else estimator.token_pattern,
            "stop_words": tuple(sorted(word for word in words if isinstance(word, str))),
        }
    try:
        return Analyzer(analyzer=estimator.analyzer, ngram_range=estimator.ngram_range, **settings)
    except DocumentInvalid as invalid:
        scope.refuse(f"{type(estimator).__name__}: {invalid}")


def _preparation(estimator: Estimator, scope: Scope) -> tuple[bool, str | None]:
    """Return whether texts are lowered, and how accents are removed."""
    own, strip = estimator.preprocessor, estimator.strip_accents
    if callable(strip):
        _refuse_code(estimator, "strip_accents", "use strip_accents='unicode' or 'ascii'", scope)
    if own is None or callable(estimator.analyzer):
        return bool(estimator.lowercase), strip
    if own is str.lower or is_code_of(own, lambda text: text.lower()):
        return True, None
    if not is_code_of(own, lambda text: text):
        remedy = "use lowercase and strip_accents, or change the texts before fitting"
        _refuse_code(estimator, "preprocessor", remedy, scope)
    return False, None


def _pattern(estimator: Estimator, parameter: str, scope: Scope) -> str:
    """Return the regular expression whose matches are what a function of the user's splits."""
    function = getattr(estimator, parameter)
    if function is str.split or is_code_of(function, lambda text: text.split()):
        return r"\S+"
    found = separator_of(function)
    if found is None:
        remedy = "use token_pattern (r'\\S+' splits as str.split does), or analyzer='char_wb'"
        _refuse_code(estimator, parameter, remedy, scope)
    between = re.escape(found)
    return f"(?:^|(?<={between}))(?s:(?:(?!{between}).)*)"


def _refuse_code(estimator: Estimator, parameter: str, remedy: str, scope: Scope) -> NoReturn:
    function = getattr(estimator, parameter)
    name = getattr(function, "__qualname__", type(function).__name__)
    scope.refuse(
        f"{qualified(estimator)}({parameter}={name}) runs code of its own on each text: {remedy}"
    )


def _slice(graph: Graph, first: int, end: int) -> str:
    starts, ends, axes = (graph.constant([place], np.int64) for place in (first, end, 1))
    return graph.node("Slice", INPUT, starts, ends, axes)


def _tfidf_transformer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    scope.admit(estimator, free=_WEIGHING)
    graph, weighed = scope.graph, matrix.tensor
    if estimator.sublinear_tf:
        weighed = _dampened(graph, weighed)
    if hasattr(estimator, "idf_"):
        if not np.isfinite(estimator.idf_).all():
            scope.refuse(
                "TfidfTransformer met no document with some term: its idf is infinite: "
                "use smooth_idf=True"
            )
        weighed = graph.node("Mul", weighed, graph.constant([estimator.idf_]))
    if estimator.norm is None:
        return matrix.numbers(weighed)
    return scope.transform("norm", Normalizer(norm=estimator.norm), matrix.numbers(weighed))


def _dampened(graph: Graph, counts: str) -> str:
    """Return 1 + log of what is not 0; whole numbers are looked up, so that they round alike."""
    table = np.concatenate([[0.0], np.log(np.arange(1.0, _LOGARITHMS)) + 1.0])
    last = graph.constant(_LOGARITHMS - 1.0)
    whole = graph.node(
        "Cast", graph.node("Clip", counts, graph.constant(0.0), last), to=TensorProto.INT64
    )
    known = graph.node("Equal", counts, graph.double(whole))
    found = graph.node("Gather", graph.constant(table), whole)
    computed = graph.node("Add", graph.node("Log", counts), graph.constant(1.0))
    return graph.node("Where", known, found, computed)


CONVERTERS: Final[dict[type, Convert]] = {
    CountVectorizer: _count_vectorizer,
    HashingVectorizer: _hashing_vectorizer,
    TfidfTransformer: _tfidf_transformer,
    TfidfVectorizer: _tfidf_vectorizer,
}
