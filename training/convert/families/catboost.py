"""CatBoost's boosted trees.

It rounds numbers to float32 and adds float64 leaves, tree after tree. A model's JSON holds every
float32 and float64 to the last bit; what is in it is what predicts, whatever the parameters are.
https://catboost.ai/docs/en/concepts/json-model-parser
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pandas as pd

from sklambda.arrays import FloatMatrix, FloatVector
from training.convert.graph.graph import Matrix
from training.convert.graph.links import chances, logistic
from training.convert.graph.outputs import Outputs
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.trees import (
    Tree,
    constant_leaf,
    gathered,
    in_order,
    last_left,
)
from training.convert.graph.vocabulary import Vocabulary
from training.convert.unconverted import named

_THRESHOLD: Final = "binclass_probability_threshold"
_WHOLE: Final = range(-10_000, 100_000)
"""The whole numbers that are looked for among categories, of which a model keeps a hash."""

type Fields = dict[str, Any]
type Members = dict[tuple[int, int], FloatVector]
"""By categorical feature and hash: what the graph's column holds for the categories of it."""


@dataclass(frozen=True, slots=True)
class Model:
    """The JSON of a model."""

    whole: Fields

    @property
    def loss(self) -> str:
        """The name of the loss by which it was fitted."""
        return str(self.whole["model_info"]["params"]["loss_function"]["type"])

    @property
    def trees(self) -> list[Fields]:
        """The trees, in the order in which they are added."""
        trees: list[Fields] = self.whole.get("oblivious_trees") or self.whole.get("trees") or []
        return trees

    @property
    def start(self) -> FloatVector:
        """What the sums are added to, for each column of the raw scores."""
        return np.array(self.whole["scale_and_bias"][1], dtype=np.float64)

    @property
    def scale(self) -> float:
        """What the sums are multiplied with."""
        return float(self.whole["scale_and_bias"][0])

    def features(self, kind: str) -> list[Fields]:
        """Return the features of a kind: ``float_features``, ``categorical_features``, ..."""
        features: list[Fields] = self.whole["features_info"].get(kind) or []
        return features

    def splits(self) -> Iterator[Fields]:
        """Yield the comparisons of all trees."""
        for tree in self.trees:
            yield from (tree["splits"] or ()) if "leaf_values" in tree else _nested(tree)

    def one_hot(self) -> dict[tuple[int, int], Fields]:
        """Return the comparisons with a category, by feature and hash."""
        return {
            (split["cat_feature_index"], split["value"]): split
            for split in self.splits()
            if split["split_type"] == "OneHotFeature"
        }


def _nested(tree: Fields) -> Iterator[Fields]:
    if "split" in tree:
        yield tree["split"]
        yield from _nested(tree["left"])
        yield from _nested(tree["right"])


def read_model(estimator: Estimator) -> Model:
    """Read a fitted model."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        estimator.save_model(str(path), format="json")
        return Model(json.loads(path.read_text()))


def _classifier(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    _refuse_threshold(estimator, scope)
    model, raw = _raw(estimator, matrix, scope)
    graph, count = scope.graph, len(estimator.classes_)
    if model.loss in ("Logloss", "CrossEntropy") and raw.width == 1 and count == 2:
        return Outputs(chances(graph, raw))
    if model.loss == "MultiClass" and raw.width == count:
        return Outputs(chances(graph, raw))
    if model.loss == "MultiClassOneVsAll" and raw.width == count:
        return Outputs(logistic(graph, raw))
    scope.refuse(
        f"catboost.CatBoostClassifier(loss_function={model.loss!r}) of {count} classes has no "
        "exact conversion: fit it with Logloss, CrossEntropy, MultiClass or MultiClassOneVsAll, "
        "and several targets by sklearn.multioutput.MultiOutputClassifier around it"
    )


def _refuse_threshold(estimator: Estimator, scope: Scope) -> None:
    threshold = estimator.get_metadata().get(_THRESHOLD)
    if threshold is not None and float(threshold) != 0.5:
        scope.refuse(
            f"catboost.CatBoostClassifier with a probability threshold of {threshold} has no exact "
            "conversion: call set_probability_threshold(None), and wrap it in "
            "sklearn.model_selection.FixedThresholdClassifier"
        )


def _regressor(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    _, raw = _raw(estimator, matrix, scope)
    graph, predicted = scope.graph, estimator._get_default_prediction_type()
    if predicted == "Exponent":
        return Outputs(value=raw.alike(graph.node("Exp", raw.tensor)))
    if predicted == "RMSEWithUncertainty":  # the mean, and the logarithm of the deviation
        mean, deviation = graph.take(raw, [0]), graph.take(raw, [1])
        doubled = graph.node("Mul", deviation.tensor, graph.constant(2.0))
        raw = graph.join([mean, deviation.alike(graph.node("Exp", doubled))])
    return Outputs(value=raw)


def _scorer(estimator: Estimator, matrix: Matrix, scope: Scope) -> Outputs:
    """Convert what predicts raw scores: a ranker, or a model without a task."""
    return Outputs(value=_raw(estimator, matrix, scope)[1])


def _raw(estimator: Estimator, matrix: Matrix, scope: Scope) -> tuple[Model, Matrix]:
    name = named(estimator)
    _refuse_texts(estimator, name, scope)
    model = read_model(estimator)
    _refuse_statistics(model, name, scope)
    reader = _Reader.of(model, _members(estimator, model, matrix, name, scope))
    trees, graph = [reader.read(fields) for fields in model.trees], scope.graph
    width = len(model.start)
    if not trees:
        trees = [(constant_leaf(0.0), np.zeros((1, width)))]
    if width == 1:
        aimed = [(tree.adding(values[:, 0]), 0) for tree, values in trees]
        sums = in_order(graph, matrix, aimed, 1)
    else:
        sums = gathered(graph, matrix, trees)
    if model.scale != 1:
        sums = sums.alike(graph.node("Mul", sums.tensor, graph.constant(model.scale)))
    if model.start.any():
        sums = sums.alike(graph.node("Add", sums.tensor, graph.constant(model.start[None])))
    return model, sums


_COMPARED: Final = ("FloatFeature", "OneHotFeature")


def _refuse_texts(estimator: Estimator, name: str, scope: Scope) -> None:
    for kind, places in (
        ("text_features", estimator.get_text_feature_indices()),
        ("embedding_features", estimator.get_embedding_feature_indices()),
    ):
        if places:
            scope.refuse(
                f"{name}({kind}=...) has no exact conversion, for its JSON leaves them out: turn "
                "them into columns of numbers by a step before it, such as "
                "sklearn.feature_extraction.text.TfidfVectorizer"
            )


def _refuse_statistics(model: Model, name: str, scope: Scope) -> None:
    if any(split["split_type"] not in _COMPARED for split in model.splits()):
        size = model.whole["model_info"]["params"]["cat_feature_params"]["one_hot_max_size"]
        scope.refuse(
            f"{name}(one_hot_max_size={size}) replaces the categories of a feature with more of "
            "them by statistics of the target, which it keeps by hashes alone: fit it with a "
            "greater one_hot_max_size, or without cat_features behind an "
            "sklearn.preprocessing.OrdinalEncoder or TargetEncoder"
        )


def _members(
    estimator: Estimator, model: Model, matrix: Matrix, name: str, scope: Scope
) -> Members:
    """Find the categories of each hash: the model itself says which of them it takes for it."""
    splits = model.one_hot()
    columns = [int(each["flat_feature_index"]) for each in model.features("categorical_features")]
    found: Members = {}
    for feature in sorted({feature for feature, _ in splits}):
        hashes = [value for of, value in splits if of == feature]
        asked = _only(estimator, model, [splits[feature, value] for value in hashes])
        held: list[list[float]] = [[] for _ in hashes]
        for categories, codes in _candidates(matrix.vocabularies[columns[feature]]):
            rows = _rows(model, columns[feature], categories)
            for place, taken in enumerate(asked.calc_leaf_indexes(rows).T):
                held[place] += codes[taken.astype(bool)].tolist()
        if not all(held):
            scope.refuse(
                f"{name} compares categories that the frame lacks: export it with the frame that "
                f"it was fitted on, and fit whole numbers outside of {_WHOLE.start} to "
                f"{_WHOLE.stop} as texts, by astype(str)"
            )
        found |= {
            (feature, value): np.array(codes) for value, codes in zip(hashes, held, strict=True)
        }
    return found


def _candidates(vocabulary: Vocabulary | None) -> Iterator[tuple[Any, FloatVector]]:
    """Yield categories that a column may hold, with what the graph holds for them."""
    if vocabulary is not None:
        known = list(vocabulary.categories)
        yield known, np.array([float(vocabulary.code(category)) for category in known])
        return
    yield np.array([False, True]), np.array([0.0, 1.0])
    yield np.array(_WHOLE), np.array(_WHOLE, dtype=np.float64)


def _only(estimator: Estimator, model: Model, splits: Sequence[Fields]) -> Estimator:
    """Return a model with a tree for each comparison."""
    trees = [{"leaf_values": [0, 1], "leaf_weights": [1, 1], "splits": [one]} for one in splits]
    whole = {key: value for key, value in model.whole.items() if key != "trees"}
    whole |= {"oblivious_trees": trees, "scale_and_bias": [1, [0]]}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        path.write_text(json.dumps(whole))
        return type(estimator)().load_model(str(path), format="json")


def _rows(model: Model, column: int, categories: Any) -> pd.DataFrame:
    """Make a frame of categories in one column, and of anything in the others."""
    texts = {int(each["flat_feature_index"]) for each in model.features("categorical_features")}
    others = model.features("float_features") + model.features("categorical_features")
    names = {int(each["flat_feature_index"]): str(each["feature_id"]) for each in others}
    columns = {
        names[place]: categories if place == column else "" if place in texts else 0.0
        for place in sorted(names)
    }
    return pd.DataFrame(columns, index=range(len(categories)))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads trees: the columns of features, and where missing numbers go."""

    numbers: list[int]
    categories: list[int]
    missing_right: list[bool]
    members: Members

    @classmethod
    def of(cls, model: Model, members: Members) -> "_Reader":
        numbers = model.features("float_features")
        return cls(
            [int(each["flat_feature_index"]) for each in numbers],
            [int(each["flat_feature_index"]) for each in model.features("categorical_features")],
            [each["nan_value_treatment"] == "AsTrue" for each in numbers],
            members,
        )

    def read(self, fields: Fields) -> tuple[Tree, FloatMatrix]:
        """Return a tree, and the values of its nodes, [nodes, W]."""
        return self._tree(*(_levels(fields) if "leaf_values" in fields else _branches(fields)))

    def _tree(
        self, splits: Sequence[Fields | None], left: list[int], values: FloatMatrix
    ) -> tuple[Tree, FloatMatrix]:
        """Read a tree from its nodes' comparisons, left children, which right ones follow."""
        feature, threshold = np.zeros(len(splits), dtype=np.int64), np.zeros(len(splits))
        missing, members = np.ones(len(splits), dtype=bool), {}
        for node, split in enumerate(splits):
            if split is None:
                continue
            if split["split_type"] == "OneHotFeature":
                feature[node] = self.categories[split["cat_feature_index"]]
                members[node] = self.members[split["cat_feature_index"], split["value"]]
            else:
                feature[node] = self.numbers[split["float_feature_index"]]
                missing[node] = not self.missing_right[split["float_feature_index"]]
                threshold[node] = split["border"]
        first, second = np.array(left), np.array(left) + 1
        in_set = list(members)
        missing[in_set] = False
        first[in_set], second[in_set] = second[in_set], first[in_set]
        leaf = np.array([split is None for split in splits])
        tree = Tree(
            left=first,
            right=second,
            leaf=leaf,
            feature=feature,
            threshold=last_left(threshold),
            missing_left=missing,
            value=np.zeros(len(splits)),
            members=members,
        )
        return tree, values


type Nodes = tuple[list[Fields | None], list[int], FloatMatrix]


def _levels(fields: Fields) -> Nodes:
    """Return the nodes of a tree whose levels compare alike; the last comparison is the root's."""
    splits = (fields.get("splits") or [])[::-1]
    count = 2 ** len(splits)
    values = np.array(fields["leaf_values"], dtype=np.float64).reshape(count, -1)
    nodes = [split for level, split in enumerate(splits) for _ in range(2**level)]
    nothing = np.zeros((count - 1, values.shape[1]))
    left = [2 * place + 1 for place in range(count - 1)] + [0] * count
    return [*nodes, *[None] * count], left, np.concatenate([nothing, values])


def _branches(fields: Fields) -> Nodes:
    """Return the nodes of a tree whose branches compare as they like."""
    nodes, left = [fields], []
    for node in nodes:  # it grows
        left.append(len(nodes) if "split" in node else 0)
        if "split" in node:
            nodes += [node["left"], node["right"]]
    width = max(np.size(node["value"]) for node in nodes if "value" in node)
    values = [np.broadcast_to(node.get("value", 0.0), width) for node in nodes]
    return [node.get("split") for node in nodes], left, np.array(values, dtype=np.float64)


CONVERTERS: Final[dict[str, Convert]] = {
    "catboost.CatBoost": _scorer,
    "catboost.CatBoostClassifier": _classifier,
    "catboost.CatBoostRanker": _scorer,
    "catboost.CatBoostRegressor": _regressor,
}
