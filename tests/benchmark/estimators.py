"""Writes docs/estimators.md: each estimator, proven here, beside the standard converter.

Usage: python -m tests.benchmark.estimators [NAME ...], which proves all, or those alone.
"""

import re
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np
import pandas as pd
import sklearn
from numpy.typing import NDArray
from rich.progress import track
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils import all_estimators, get_tags
from threadpoolctl import threadpool_limits

from sklambda.session import load
from tests.conftest import REPOSITORY
from tests.support.proof import classes, mixed, numbers, values
from training.convert import CONVERTERS
from training.convert.families.native_boosters import adopted
from training.convert.families.text import pipeline_input
from training.convert.unconverted import BY_NAME, UNCONVERTED
from training.errors import ConversionRefused
from training.frames import kinds_of
from training.proof.conversion import Conversion

PAGE: Final = REPOSITORY / "docs/estimators.md"
VISIBLE: Final = 1e-4
ROWS: Final = 300
INNER: Final = LogisticRegression(max_iter=2000)
OF_COUNTS: Final = {"CategoricalNB", "ComplementNB", "MultinomialNB"}
OF_FULL_RANK: Final = {
    "EllipticEnvelope", "FactorAnalysis", "FastICA", "QuadraticDiscriminantAnalysis",
}  # fmt: skip
OF_TEXTS: Final = {"CountVectorizer", "HashingVectorizer", "TfidfVectorizer"}
BEFORE_LINEAR_MODELS: Final = {
    "AdditiveChi2Sampler", "BernoulliRBM", "DictionaryLearning", "KernelPCA",
    "MiniBatchDictionaryLearning", "RBFSampler", "RandomTreesEmbedding", "SkewedChi2Sampler",
    "SparseCoder", "TfidfTransformer",
}  # fmt: skip
OF_ONE_COLUMN: Final = {"IsotonicRegression"}
OF_SEVERAL_TARGETS: Final = {"ClassifierChain", "MultiOutputClassifier"}
WORDS: Final = (
    "good",
    "bad",
    "fine",
    "nice",
    "poor",
    "great",
    "na\u00efve",
    "caf\u00e9",
    "a",
    "it",
)
OF_CATEGORIES: Final = {"OneHotEncoder", "OrdinalEncoder", "TargetEncoder"}
OF_SEVERAL_OUTPUTS: Final = {
    "CCA", "MultiOutputRegressor", "MultiTaskElasticNet", "MultiTaskElasticNetCV",
    "MultiTaskLasso", "MultiTaskLassoCV", "PLSCanonical", "RegressorChain",
}  # fmt: skip
TUNED: Final = "FixedThresholdClassifier TunedThresholdClassifierCV"


def _each(names: str, **arguments: Any) -> dict[str, dict[str, Any]]:
    return dict.fromkeys(names.split(), arguments)


OF_CATBOOST: Final = {"verbose": 0, "allow_writing_files": False, "thread_count": 1}
ARGUMENTS: Final[dict[str, dict[str, Any]]] = {
    "ColumnTransformer": {"transformers": [("scale", MinMaxScaler(), ["grid", "whole"])]},
    "FeatureUnion": {"transformer_list": [("scale", MinMaxScaler())]},
    "GridSearchCV": {"estimator": INNER, "param_grid": {"C": [0.1, 1.0]}},
    "HalvingGridSearchCV": {"estimator": INNER, "param_grid": {"C": [0.1, 1.0]}},
    "HalvingRandomSearchCV": {"estimator": INNER, "param_distributions": {"C": [0.1, 1.0]}},
    "OneHotEncoder": {"handle_unknown": "ignore", "sparse_output": False},
    "OrdinalEncoder": {"handle_unknown": "use_encoded_value", "unknown_value": -1},
    "Pipeline": {"steps": [("scale", MinMaxScaler())]},
    "RandomizedSearchCV": {"estimator": INNER, "param_distributions": {"C": [0.1, 1]}, "n_iter": 2},
    "StackingClassifier": {"estimators": [("linear", INNER)]},
    "StackingRegressor": {"estimators": [("linear", Ridge())]},
    "VotingClassifier": {"estimators": [("linear", INNER)], "voting": "soft"},
    "VotingRegressor": {"estimators": [("linear", Ridge())]},
    **_each("MultiOutputRegressor RegressorChain", estimator=Ridge()),
    **_each("ClassifierChain MultiOutputClassifier", estimator=INNER),
    **_each("OutputCodeClassifier", estimator=INNER, code_size=2, random_state=0),
    **_each("SelfTrainingClassifier", estimator=INNER),
    **_each("AffinityPropagation", damping=0.9, max_iter=1000, random_state=0),
    **_each("KernelPCA", n_components=3),
    **_each("HashingVectorizer", n_features=64),
    **_each(
        "DictionaryLearning MiniBatchDictionaryLearning",
        n_components=3,
        transform_algorithm="threshold",
        random_state=0,
        max_iter=20,
    ),
    "SparseCoder": {"dictionary": np.eye(6) + 0.1, "transform_algorithm": "threshold"},
    **_each("RBFSampler SkewedChi2Sampler", n_components=20, random_state=0),
    **_each("RandomTreesEmbedding", n_estimators=10, random_state=0),
    **_each("LabelPropagation LabelSpreading", gamma=5),
    **_each("RadiusNeighborsClassifier", radius=2e5, outlier_label="most_frequent"),
    **_each("GaussianProcessClassifier", optimizer=None),
    **_each("MeanShift", bandwidth=3e5),
    **_each("LocalOutlierFactor", novelty=True),
    **_each("KMeans MiniBatchKMeans BisectingKMeans", n_clusters=4, random_state=0),
    **_each("GaussianMixture BayesianGaussianMixture", n_components=3, random_state=0),
    **_each("EllipticEnvelope IsolationForest", random_state=0),
    **_each("CatBoostClassifier CatBoostRegressor", **OF_CATBOOST),
    **_each("LGBMClassifier LGBMRegressor", verbose=-1, n_jobs=1),
    **_each("XGBClassifier XGBRegressor XGBRFClassifier XGBRFRegressor", verbosity=0, n_jobs=1),
    **_each("FrozenEstimator RFE RFECV SelectFromModel SequentialFeatureSelector", estimator=INNER),
    **_each("OneVsOneClassifier OneVsRestClassifier", estimator=INNER),
    **_each(TUNED, estimator=INNER),
    **_each("KBinsDiscretizer", encode="onehot-dense"),
    **_each("MissingIndicator", features="all"),
    **_each("GaussianRandomProjection SparseRandomProjection", n_components=3),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the page: one estimator."""

    name: str
    rows: int
    difference: float
    widened: int
    undecidable: int
    stock: str


def main(names: Sequence[str] = ()) -> None:
    """Prove every estimator that has a converter, or those named, and write the page."""
    lines, stopped = measured(PAGE.read_text()) if names else ({}, {})
    kinds = [kind for kind in on_the_page() if not names or name_of(kind) in names]
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind in track(sorted(kinds, key=name_of), "Proving"):
            name = name_of(kind)
            lines.pop(name, None)
            stopped.pop(name, None)
            try:
                lines[name] = _shown(_line(kind))
            except (ConversionRefused, ValueError, TypeError) as error:
                stopped[name] = str(error).splitlines()[0]
    PAGE.write_text(page(lines, stopped))


def name_of(kind: type | str) -> str:
    """Return the name of an estimator; that of another library's begins with the library's."""
    return kind if isinstance(kind, str) else kind.__name__


def on_the_page() -> list[type | str]:
    """Return the classes with a converter that are scikit-learn's, or models of boosting.

    The transformers of other libraries, of which there are a hundred, are in docs/training.md.
    """
    names = ("sklearn", "catboost", "lightgbm", "xgboost")
    return [kind for kind in CONVERTERS if _package(kind) in names]


def _package(kind: type | str) -> str:
    return (kind if isinstance(kind, str) else kind.__module__).partition(".")[0]


def measured(page: str) -> tuple[dict[str, str], dict[str, str]]:
    """Read the lines of a page: of the estimators that converted, and of those stopped."""
    listed, _, _ = page.partition(_LISTS)
    table, _, halted = listed.partition("## Stopped")
    return _by_name(table), _by_name(halted)


def _by_name(table: str) -> dict[str, str]:
    found = re.findall(r"^\| ([\w.]+) \| (.*) \|$", table, re.MULTILINE)
    return {name: line for name, line in found if name != "estimator"}


def page(lines: Mapping[str, str], stopped: Mapping[str, str]) -> str:
    """Write the page."""
    table = [f"| {name} | {lines[name]} |" for name in sorted(lines)]
    halted = [f"| {name} | {stopped[name]} |" for name in sorted(stopped)]
    parts = [
        _HEAD.format(count=len(lines)),
        *table,
        "",
        *([_STOPPED, *halted, ""] if halted else []),
    ]
    return "\n".join([*parts, *lists(), ""])


def _shown(line: Line) -> str:
    return f"{line.rows} | {line.difference:.0e} | {_rounded(line)} | {line.stock}"


def _rounded(line: Line) -> str:
    counts = {"rows": line.widened, "labels": line.undecidable}
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def usable() -> dict[str, type]:
    """Return the estimators of scikit-learn that have ``predict`` or ``transform``, by name."""
    return {
        name: kind
        for name, kind in all_estimators()
        if hasattr(kind, "predict") or hasattr(kind, "transform")
    }


def counts() -> dict[str, int]:
    """Count the usable estimators of scikit-learn that are exact, refused by nature, and open."""
    found = Counter(_standing(name, kind) for name, kind in usable().items())
    return {standing: found[standing] for standing in ("exact", "refused by nature", "open")}


def _standing(name: str, kind: type) -> str:
    group = BY_NAME.get(name)
    if group is None or kind in CONVERTERS:
        return "exact"
    return "open" if group.open else "refused by nature"


_HEAD = """# Estimators

Written by `python -m tests.benchmark.estimators`. {count} estimators convert exactly. Each was
fitted with its usual parameters, transformers before a HistGradientBoostingClassifier, and compared
with scikit-learn on the rows of the gate: real ones, both sides of every boundary, missing values
where they are accepted, extreme numbers. A difference is absolute up to a score of 1 and relative
above; no label differed that can be decided. A difference above 1e-9 is the rounding of large
terms, which the fourth column counts by rows, beside labels that hang on rounding
([what equal means](package.md#what-equal-means)).

The last column is the standard converter, skl2onnx 1.20.0 in float32, on the real rows and the
boundaries: "wrong" counts rows whose score is off by more than 1e-4.

| estimator | rows | greatest difference | by rounding | skl2onnx |
|---|---|---|---|---|"""


_STOPPED = """## Stopped by the gate on this data

These have a converter, but on this data some score differs, or scikit-learn's own scores differ
between two runs: the run ends with exit code 4 and this reason. On other data they may pass.

| estimator | reason |
|---|---|"""


_LISTS: Final = "## What is exact, and what is not"


def lists() -> list[str]:
    """Return the section that says of each usable estimator of scikit-learn where it stands."""
    numbers = counts()
    first = ", ".join(f"{count} are {standing}" for standing, count in numbers.items())
    return [
        _LISTS,
        "",
        f"scikit-learn {sklearn.__version__.rpartition('.')[0]} has {sum(numbers.values())} "
        f"estimators with `predict` or `transform`: {first}.",
        "The refusal names the estimator, the reason and what to use instead.",
        "",
        *_refused("Refused by nature", by_nature=True),
        *_refused("Open: exact conversions may come", by_nature=False),
        "A subclass of an estimator, a custom function, and any parameter value that a",
        "converter does not honour are refused too; the refusal names the step and the parameter.",
    ]


def _refused(title: str, by_nature: bool) -> list[str]:
    rows = [
        f"| {', '.join(sorted(names))} | {group.reason} | {group.remedy} |"
        for group in UNCONVERTED
        if group.open != by_nature and (names := set(group.names) & usable().keys())
    ]
    head = ["| estimators | why | what to do |", "|---|---|---|"]
    return [f"### {title}", "", *head, *rows, ""] if rows else []


def _line(kind: type | str) -> Line:
    rows, difference, widened, undecidable, stock = 0, 0.0, 0, 0, "right"
    for estimator, frame in _fitted(kind):
        conversion = Conversion(estimator, frame, kinds_of(frame))
        model, signature = conversion.convert()
        cases = conversion.cases(model, signature)
        report = conversion.prove(model, signature, cases)
        rows += sum(report.rows.values())
        difference = max(difference, report.max_difference)
        widened, undecidable = widened + report.widened, undecidable + report.undecidable
        reference = conversion.reference(signature.target)
        chosen = [case.row for case in cases if case.group in ("data", "boundaries")]
        stock = _worse(stock, _stock(estimator, frame, reference, chosen))
    return Line(name_of(kind), rows, difference, widened, undecidable, stock)


def _catboost(kind: Any) -> Any:
    return kind(OF_CATBOOST | {"loss_function": "RMSE"}).fit(numbers(), values())


def _catboost_ranker(kind: Any) -> Any:
    ranker = kind(loss_function="QueryRMSE", **OF_CATBOOST)
    return ranker.fit(numbers(), values(), group_id=np.arange(ROWS) // 10)


def _ranker(kind: Any) -> Any:
    ranker = kind(verbosity=0) if kind.__name__ == "XGBRanker" else kind(verbose=-1)
    return ranker.fit(numbers(), classes(2), group=[100, 200])


def _of_lightgbm(kind: Any) -> Any:
    import lightgbm

    parameters = {"objective": "binary", "verbose": -1, "num_threads": 1}
    return adopted(lightgbm.train(parameters, lightgbm.Dataset(numbers(), classes(2))))


def _of_xgboost(kind: Any) -> Any:
    import xgboost

    parameters = {"objective": "binary:logistic", "nthread": 1}
    return adopted(xgboost.train(parameters, xgboost.DMatrix(numbers(), classes(2)), 100))


WITHOUT_A_TASK: Final[dict[type | str, Callable[[Any], Any]]] = {
    "catboost.CatBoost": _catboost,
    "catboost.CatBoostRanker": _catboost_ranker,
    "lightgbm.Booster": _of_lightgbm,
    "lightgbm.LGBMRanker": _ranker,
    "xgboost.Booster": _of_xgboost,
    "xgboost.XGBRanker": _ranker,
}
"""How what is neither a classifier nor a regressor is fitted to `numbers`."""


def _fitted(kind: type | str) -> Iterator[tuple[Any, pd.DataFrame]]:
    if kind in WITHOUT_A_TASK:
        yield WITHOUT_A_TASK[kind](_class(kind)), numbers()
        return
    name = name_of(kind).rpartition(".")[2]
    made = _class(kind)(**ARGUMENTS.get(name, {}))
    frame = _frame(name)
    if get_tags(made).estimator_type is None or hasattr(made, "get_support"):
        trees = HistGradientBoostingClassifier(max_iter=10, random_state=0)
        yield _pipeline(made, trees).fit(*_pair(made, frame)), frame
    elif is_classifier(made):
        for target in _labels(name, len(frame)):
            yield _fit(clone(made), frame, target), frame
    else:
        count = 2 if name in OF_SEVERAL_OUTPUTS else 1
        yield _fit(made, frame, values(count) if is_regressor(made) else None), frame


def _class(kind: type | str) -> Any:
    if not isinstance(kind, str):
        return kind
    library, _, name = kind.rpartition(".")
    return getattr(import_module(library), name)


def _frame(name: str) -> pd.DataFrame:
    if name in OF_TEXTS:
        words = np.random.default_rng(0).choice(WORDS, (ROWS, 6))
        return pd.DataFrame({"text": [" ".join(row) for row in words]})
    if name == "DictVectorizer":
        return mixed(missing=False)
    if name in OF_CATEGORIES:
        return mixed(missing=False)[["colour", "plan"]]
    if name in OF_FULL_RANK:
        return numbers()[["grid", "skewed", "whole"]]
    if name in OF_ONE_COLUMN:
        return numbers()[["grid"]]
    if name in OF_COUNTS:
        return numbers()[["whole"]]
    if name == "KernelCenterer":  # it wants a square matrix
        return pd.DataFrame(np.random.default_rng(0).random((60, 60))).rename(columns=str)
    return numbers(missing=name == "IterativeImputer")


def _pipeline(made: Any, trees: Any) -> Any:
    """Set a transformer before trees, whose branches show its last bit, or a linear model."""
    linear = LogisticRegression(max_iter=2000)
    if type(made).__name__ in {*OF_TEXTS, "DictVectorizer"}:
        return make_pipeline(made, linear)
    if type(made).__name__ in BEFORE_LINEAR_MODELS:
        return make_pipeline(MinMaxScaler(clip=True), made, linear)
    return make_pipeline(made, trees)


def _pair(made: Any, frame: pd.DataFrame) -> tuple[Any, Any]:
    return pipeline_input(made, frame), classes(2, len(frame))


def _labels(name: str, rows: int) -> Iterator[Any]:
    if name in OF_SEVERAL_TARGETS:
        yield np.column_stack([classes(2, rows), classes(2, rows)[::-1]])
        return
    if name in {"LabelPropagation", "LabelSpreading", "SelfTrainingClassifier"}:
        yield np.where(np.arange(rows) % 5, classes(2, rows), -1)
        return
    for count in (2,) if name in TUNED else (2, 3):
        labels = classes(count, rows)
        # XGBoost wants 0, 1, ...
        yield np.unique(labels, return_inverse=True)[1] if name.startswith("XGB") else labels


def _fit(estimator: Any, frame: pd.DataFrame, target: Any) -> Any:
    if isinstance(estimator, FrozenEstimator):
        estimator.estimator.fit(frame, target)
    return estimator.fit(frame, target)


def _stock(estimator: Any, frame: pd.DataFrame, reference: Any, rows: list[Any]) -> str:
    if any(kind == "category" for kind in kinds_of(frame).values()):
        return "not compared: strings"
    if not type(estimator).__module__.startswith("sklearn"):
        return "not compared: another library"
    if reference.target.scores == "label":
        return "not compared: labels alone"
    import skl2onnx
    from skl2onnx.common.data_types import FloatTensorType

    expected = reference.predict(rows)
    try:
        model = skl2onnx.convert_sklearn(
            estimator,
            initial_types=[("X", FloatTensorType([None, frame.shape[1]]))],
            target_opset={"": 22, "ai.onnx.ml": 3},
            options={id(estimator): {"zipmap": False}} if is_classifier(estimator) else None,
        )
        session = load(model.SerializeToString())
        X = reference.frame(rows).to_numpy(dtype=np.float32)
        found = _flat(session.run(None, {"X": X})[-1], len(rows))
    except Exception as error:  # whatever it is that the standard converter cannot do
        return f"does not convert or load ({type(error).__name__})"
    if found.shape != expected.scores.shape:
        return "other scores"
    scale = np.maximum(1, np.abs(expected.scores))
    wrong = (np.abs(found - expected.scores) / scale).max(axis=1) > VISIBLE
    return f"wrong in {wrong.mean():.1%}" if wrong.any() else "right"


def _flat(scores: Any, rows: int) -> NDArray[np.float64]:
    """Give [N, C] of what may be [N], or [T, N, C] where there are several targets."""
    found = np.asarray(scores, dtype=np.float64)
    return np.hstack([*found]) if found.ndim == 3 else found.reshape(rows, -1)


def _worse(first: str, second: str) -> str:
    return max(first, second, key=lambda text: (text.startswith("wrong"), text != "right", text))


if __name__ == "__main__":
    main(sys.argv[1:])
