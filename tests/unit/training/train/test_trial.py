"""A trial export says in advance what an export would say."""

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import SparsePCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.kernel_approximation import PolynomialCountSketch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from training.__main__ import main
from training.errors import ConfigurationError, ConversionRefused, DataError
from training.train.trial import ROWS, try_configuration, try_fitted

PIPELINE = """
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.kernel_approximation import PolynomialCountSketch
from sklearn.decomposition import SparsePCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

def build():
    return make_pipeline({steps})
"""


def table(rows: int) -> pd.DataFrame:
    a, b = np.random.default_rng(0).normal(size=(2, rows))
    return pd.DataFrame({"a": a, "b": b, "y": np.where(a + b > 1.5, "yes", "no")})


def configuration(folder: Path, steps: str, rows: int = 3000) -> Path:
    (folder / "pipeline.py").write_text(PIPELINE.format(steps=steps))
    table(rows).to_csv(folder / "rows.csv", index=False)
    path = folder / "train.toml"
    path.write_text(
        'name = "trial"\n[data]\npath = "rows.csv"\ntarget = "y"\n'
        '[pipeline]\nbuild = "pipeline:build"\n'
    )
    return path


def fitted(folder: Path, model: Any) -> tuple[Path, Path]:
    frame = table(400)
    joblib.dump(model.fit(frame[["a", "b"]], frame["y"]), folder / "model.joblib")
    frame.to_csv(folder / "rows.csv", index=False)
    return folder / "model.joblib", folder / "rows.csv"


def test_a_configuration_is_tried_on_few_rows_and_with_few_trees(tmp_path: Path) -> None:
    slow = "StandardScaler(), GradientBoostingClassifier(n_estimators=100_000)"

    found = try_configuration(configuration(tmp_path, slow))

    assert found.steps == ("StandardScaler", "GradientBoostingClassifier")
    assert found.rows <= ROWS + 2
    assert found.signature.names == ("a", "b")
    assert found.parity.rows["data"] == found.rows


def test_a_regression_is_tried_on_its_first_rows(tmp_path: Path) -> None:
    path = configuration(tmp_path, "StandardScaler(), GradientBoostingRegressor()")
    rows = pd.read_csv(tmp_path / "rows.csv")
    rows.assign(y=rows["a"] * 2 + rows["b"]).to_csv(tmp_path / "rows.csv", index=False)

    found = try_configuration(path)

    assert (found.rows, found.signature.target.task) == (ROWS, "regression")


def test_all_that_is_refused_of_a_configuration_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConversionRefused) as raised:
        try_configuration(
            configuration(
                tmp_path,
                "PolynomialCountSketch(), SparsePCA(1), GradientBoostingClassifier()",
            )
        )

    assert [each.step for each in raised.value.each] == ["polynomialcountsketch", "sparsepca"]


def test_a_fitted_pipeline_is_tried_on_rows_with_or_without_the_target(tmp_path: Path) -> None:
    path, rows = fitted(tmp_path, make_pipeline(RandomForestClassifier(5, random_state=0)))

    assert try_fitted(path, rows).signature.names == ("a", "b")
    assert try_fitted(path, rows, "y").signature.target.name == "y"


def test_a_fitted_pipeline_that_is_refused_names_the_steps(tmp_path: Path) -> None:
    model = make_pipeline(PolynomialCountSketch(), SparsePCA(1, max_iter=1), LogisticRegression())
    path, rows = fitted(tmp_path, model)

    with pytest.raises(ConversionRefused, match=r"(?s)^polynomialcountsketch: .*\nsparsepca: "):
        try_fitted(path, rows)


def test_a_fitted_pipeline_needs_rows(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="pass rows that it was fitted on as --data"):
        try_fitted(tmp_path / "model.joblib", None)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    path, rows = fitted(tmp_path, LogisticRegression())
    (tmp_path / "text.pkl").write_text("no pickle")

    with pytest.raises(ConfigurationError, match=r"text\.pkl cannot be loaded as a fitted"):
        try_fitted(tmp_path / "text.pkl", rows)
    with pytest.raises(DataError, match=r"cannot read .*none\.csv"):
        try_fitted(path, tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ("StandardScaler(), GradientBoostingClassifier()", 0),
        ("PolynomialCountSketch(), GradientBoostingClassifier()", 4),
    ],
)
def test_the_command_ends_with_the_code_of_an_export(
    tmp_path: Path, steps: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", str(configuration(tmp_path, steps, rows=200))])

    assert ended.value.code == code
    shown = capsys.readouterr()
    assert ("Every step converts" in shown.out) == (code == 0)
    assert ("polynomialcountsketch: " in shown.err) == (code == 4)


def test_only_a_configuration_has_keys_to_set(tmp_path: Path) -> None:
    path, rows = fitted(tmp_path, LogisticRegression())

    with pytest.raises(SystemExit) as ended:
        main(["check", str(path), "--data", str(rows), "--set", "seed=3"])

    assert ended.value.code == 2
