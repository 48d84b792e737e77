import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sklearn.ensemble import RandomForestClassifier

from training.errors import ConfigurationError
from training.train import pipelines
from training.train.config import Config, Learning

FOREST = """
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline

def build(depth=3, seed=None):
    forest = RandomForestClassifier(max_depth=depth, random_state=seed)
    return Pipeline([("model", forest)])
"""

type ConfigFactory = Callable[..., Config]


@pytest.fixture
def config_factory(tmp_path: Path) -> ConfigFactory:
    """Writes pipeline.py and makes a configuration that names its functions."""

    def make(source: str, build: str = "pipeline:build", **options: object) -> Config:
        (tmp_path / "pipeline.py").write_text(source)
        sections = {
            "data": {"target": "y", "sample": "pipeline:generate"},
            "pipeline": {"build": build, "options": options},
        }
        return Config.model_validate({"name": "m", "seed": 11, **sections})

    return make


def _refusal(config: Config, folder: Path) -> str:
    with pytest.raises(ConfigurationError) as refused:
        pipelines.build(config, folder)
    return str(refused.value)


def test_options_are_the_arguments_of_build(config_factory: ConfigFactory, tmp_path: Path) -> None:
    pipeline = pipelines.build(config_factory(FOREST, depth=5), tmp_path)

    assert pipeline.get_params()["model__max_depth"] == 5


def test_the_seed_is_handed_to_a_function_that_takes_it(
    config_factory: ConfigFactory, tmp_path: Path
) -> None:
    source = FOREST.replace("random_state=seed", "n_estimators=seed")

    pipeline = pipelines.build(config_factory(source), tmp_path)

    assert pipeline.get_params()["model__n_estimators"] == 11


def test_an_open_random_state_gets_the_seed(config_factory: ConfigFactory, tmp_path: Path) -> None:
    source = FOREST.replace(", random_state=seed", "")

    pipeline = pipelines.build(config_factory(source), tmp_path)

    assert pipeline.get_params()["model__random_state"] == 11


def test_a_random_state_that_is_set_stays(config_factory: ConfigFactory, tmp_path: Path) -> None:
    pipeline = pipelines.build(config_factory(FOREST, seed=3), tmp_path)

    assert pipeline.get_params()["model__random_state"] == 3


def test_a_module_may_import_its_neighbour(config_factory: ConfigFactory, tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_the_pipeline.py").write_text("DEPTH = 9")
    source = "from neighbour_of_the_pipeline import DEPTH\n" + FOREST.replace("=3", "=DEPTH")
    before = list(sys.path)

    pipeline = pipelines.build(config_factory(source), tmp_path)

    assert isinstance(pipeline[-1], RandomForestClassifier)
    assert sys.path == before


@pytest.mark.parametrize(
    ("source", "build", "sentence"),
    [
        ("", "elsewhere:build", "there is no elsewhere.py in"),
        (FOREST, "pipeline:biuld", "has no function `biuld`; did you mean `build`?"),
        ("build = 3", "pipeline:build", "has no function `build`"),
        ("import no_such_module", "pipeline:build", "line 1 of pipeline.py raised ModuleNotFound"),
        ("def build(:", "pipeline:build", "raised SyntaxError"),
        ("\ndef build():\n    return 1 / 0", "pipeline:build", "line 3 of pipeline.py raised Zero"),
        ("def build(depth): ...", "pipeline:build", "raised TypeError"),
        ("def build(): ...", "pipeline:build", "returned nothing, not a scikit-learn pipeline"),
        ("def build(): return {}", "pipeline:build", "returned an object of type dict"),
        (
            FOREST.replace('[("model", forest)]', "[]"),
            "pipeline:build",
            "returned an object of type Pipeline, not a scikit-learn pipeline that ends in",
        ),
        (
            "from sklearn.model_selection import GridSearchCV\n"
            "from sklearn.tree import DecisionTreeClassifier as Tree\n"
            "def build(): return GridSearchCV(Tree(), {'max_depth': [1, 2]}, refit=False)",
            "pipeline:build",
            "has no fitted pipeline: use refit=True",
        ),
    ],
)
def test_a_function_that_makes_no_pipeline_is_refused(
    config_factory: ConfigFactory, tmp_path: Path, source: str, build: str, sentence: str
) -> None:
    assert sentence in _refusal(config_factory(source, build), tmp_path)


@pytest.mark.parametrize(
    ("learning", "other", "expected"),
    [
        ("classification", "Regressor", "not a classifier, and the target `y` has classes"),
        ("regression", "Classifier", "not a regressor, and the target `y` has numbers"),
    ],
)
def test_a_pipeline_that_learns_something_else_than_the_target_has_is_refused(
    config_factory: ConfigFactory, tmp_path: Path, learning: Learning, other: str, expected: str
) -> None:
    source = FOREST.replace("Classifier", other)
    pipeline = pipelines.build(config_factory(source), tmp_path)

    with pytest.raises(ConfigurationError, match=expected):
        pipelines.require_learning(pipeline, learning, "y")


def test_an_option_that_build_does_not_take_is_named_with_the_nearest(
    config_factory: ConfigFactory, tmp_path: Path
) -> None:
    message = _refusal(config_factory(FOREST, detph=3), tmp_path)

    assert "`pipeline.options.detph`" in message
    assert "did you mean `pipeline.options.depth`?" in message


def test_the_sample_is_made_with_the_rows_and_the_seed(
    config_factory: ConfigFactory, tmp_path: Path
) -> None:
    source = (
        "import pandas\ndef generate(rows, seed): return pandas.DataFrame({'x': [seed] * rows})"
    )

    frame = pipelines.sample(config_factory(source), tmp_path, rows=6)

    assert frame["x"].tolist() == [11] * 6


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("def generate(rows, seed): return [rows]", "not a DataFrame"),
        ("def generate(rows): ...", "raised TypeError"),
    ],
)
def test_a_function_that_makes_no_rows_is_refused(
    config_factory: ConfigFactory, tmp_path: Path, source: str, sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        pipelines.sample(config_factory(source), tmp_path)


def test_the_digest_changes_with_the_code_and_with_the_configuration(
    config_factory: ConfigFactory, tmp_path: Path
) -> None:
    digests = [
        pipelines.digest(config_factory(source, **options), tmp_path)
        for source, options in [(FOREST, {}), (FOREST + "#", {}), (FOREST, {"depth": 4})]
    ]

    assert len(set(digests)) == 3
