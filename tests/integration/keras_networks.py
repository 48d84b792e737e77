"""Fits Keras networks and exports them; runs in .venv-keras, told a folder and activations.

For each network the folder gets a package, or the refusal, and Keras's own answers for the rows of
`rows`. Those of "double" networks are computed in float64.
"""

import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import pandas as pd
from keras import layers
from scikeras.wrappers import KerasClassifier, KerasRegressor
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from training.errors import TrainingError
from training.exporter import export

type Case = tuple[Any, pd.DataFrame, Callable[[pd.DataFrame], Any]]


def frame() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "a": generator.normal(size=200),
            "b": 3 * generator.normal(size=200),
            "c": generator.integers(0, 5, 200),
            "town": generator.choice(["Oslo", "Rome", "Lima"], 200),
        }
    )


FRAME = frame()
NUMBERS = FRAME[["a", "b", "c"]]
CLASSES = (FRAME.a + FRAME.b > 0).astype(int).to_numpy()
NAMES = np.array(["low", "middle", "high"])[(FRAME.c % 3).to_numpy()]
VALUES = (FRAME.a * 2 + FRAME.c).to_numpy()


def sequential(*parts: Any, width: int = 3, loss: str = "binary_crossentropy") -> Any:
    model = keras.Sequential([keras.Input((width,)), *parts])
    model.compile(optimizer="adam", loss=loss, run_eagerly=True)
    return model


def fitted(model: Any, X: pd.DataFrame, y: Any) -> Case:
    model.fit(X, y, epochs=1, verbose=0)
    return model, X, lambda rows: model.predict(rows, verbose=0)


def fitted_on_classes(*parts: Any) -> Case:
    return fitted(sequential(*parts), NUMBERS, CLASSES)


def classifier(meta: dict[str, Any]) -> Any:
    width, classes = meta["n_features_in_"], meta["n_classes_"]
    if classes == 2:
        return sequential(layers.Dense(5, "silu"), layers.Dense(1, "sigmoid"), width=width)
    last = layers.Dense(classes, "softmax")
    return sequential(
        layers.Dense(5, "silu"), last, width=width, loss="sparse_categorical_crossentropy"
    )


def regressor(meta: dict[str, Any]) -> Any:
    return sequential(
        layers.Dense(5, "relu"), layers.Dense(1), width=meta["n_features_in_"], loss="mse"
    )


def prepared(last: Any) -> Any:
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["a", "b", "c"]),
            ("town", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["town"]),
        ]
    )
    return make_pipeline(columns, last)


def functional() -> Case:
    b, a = keras.Input((1,), name="b"), keras.Input((1,), name="a")
    c = keras.Input((1,), name="c", dtype="int32")
    town = layers.Flatten()(layers.Embedding(5, 3)(c))
    joined = layers.Concatenate()([a, b, town])
    one, two = layers.Dense(4, "tanh")(joined), layers.Dense(4, "relu")(joined)
    mixed = [
        layers.Average()([one, two]),
        layers.Multiply()([one, two]),
        layers.Maximum()([one, two]),
    ]
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, "elu"), layers.Dropout(0.5)])
    output = layers.Dense(1, "sigmoid")(inner(layers.Add()(mixed)))
    model = keras.Model([b, a, c], output)
    model.compile(loss="binary_crossentropy", run_eagerly=True)
    model.fit([NUMBERS.b, NUMBERS.a, NUMBERS.c], CLASSES, epochs=1, verbose=0)
    return model, NUMBERS, lambda rows: model.predict([rows.b, rows.a, rows.c], verbose=0)


def normalized() -> Case:
    first = layers.Normalization()
    first.adapt(NUMBERS.to_numpy("float32"))
    model = sequential(
        first,
        layers.Dense(6),
        layers.PReLU(alpha_initializer="ones"),
        layers.LayerNormalization(),
        layers.Dense(3),
        layers.Softmax(),
        loss="sparse_categorical_crossentropy",
    )
    return fitted(model, NUMBERS, FRAME.c % 3)


def rescaled() -> Case:
    model = sequential(
        layers.Rescaling(0.5, offset=1.0),
        layers.Dense(6),
        layers.LeakyReLU(),
        layers.Dense(4),
        layers.ReLU(max_value=3, negative_slope=0.1, threshold=0.5),
        layers.BatchNormalization(),
        layers.Dense(2),
        loss="mse",
    )
    return fitted(model, NUMBERS, np.stack([VALUES, 2 * VALUES], axis=1))


def wrapped(last: Any, target: Any) -> Case:
    pipeline = prepared(last).fit(FRAME, target)
    answers = getattr(pipeline, "predict_proba", pipeline.predict)
    return pipeline, FRAME, answers


def networks(activations: Sequence[str]) -> Iterator[tuple[str, Callable[[], Case]]]:
    for name in activations:
        parts = (layers.Dense(4, name), layers.BatchNormalization(), layers.Dense(1, "sigmoid"))
        yield name, partial(fitted_on_classes, *parts)
    labels = np.stack([CLASSES, 1 - CLASSES, CLASSES], axis=1)
    yield (
        "labels",
        lambda: fitted(
            sequential(layers.Dense(4, "elu"), layers.Dense(3, "sigmoid")), NUMBERS, labels
        ),
    )
    yield "normalized", normalized
    yield "rescaled", rescaled
    yield "functional", functional
    yield "wrapped classifier", lambda: wrapped(KerasClassifier(classifier, verbose=0), FRAME.town)
    yield "wrapped of two classes", lambda: wrapped(KerasClassifier(classifier, verbose=0), CLASSES)
    yield "wrapped regressor", lambda: wrapped(KerasRegressor(regressor, verbose=0), VALUES)


def refused() -> Iterator[tuple[str, Callable[[], Case]]]:
    for name, part in {
        "code": layers.Lambda(lambda x: x),
        "function": layers.Dense(2, lambda x: x),
        "recurrent": keras.Sequential([layers.Reshape((3, 1)), layers.LSTM(2)]),
    }.items():
        yield name, partial(fitted_on_classes, part, layers.Dense(1, "sigmoid"))
    # Far outside of what float32 holds to a thousandth.
    huge = NUMBERS.assign(a=NUMBERS.a * 1e3 + 1e10, b=-1e10)
    weights = [np.ones((3, 1)), np.zeros(1)]
    plain = sequential(layers.Dense(1), loss="mse")
    plain.set_weights(weights)
    yield "huge", lambda: (plain, huge, lambda rows: 0)
    yield "texts", lambda: (plain, FRAME[["a", "b", "town"]], lambda rows: 0)
    yield "missing", lambda: (plain, NUMBERS.assign(a=np.nan), lambda rows: 0)
    yield "narrow", lambda: (plain, NUMBERS[["a", "b"]], lambda rows: 0)


def written(name: str, case: Case, folder: Path) -> dict[str, Any]:
    model, rows, answers = case
    try:
        export(model, rows, out=folder / name, name="network", time_limit=None)
    except TrainingError as error:
        return {"refused": str(error), "code": error.exit_code}
    own = np.asarray(answers(rows.head(50)), dtype=np.float64)
    return {"rows": rows.head(50).to_dict("records"), "answers": own.reshape(50, -1).tolist()}


def main(folder: Path, activations: Sequence[str]) -> None:
    warnings.simplefilter("ignore")
    keras.utils.set_random_seed(3)
    cases = [*networks(activations), *refused()]
    found = {name: written(name, make(), folder) for name, make in cases}
    keras.backend.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    for name, make in networks(activations):
        found[f"double {name}"] = written(f"double {name}", make(), folder)
    (folder / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
