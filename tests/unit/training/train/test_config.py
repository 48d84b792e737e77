from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sklambda.policy.watching import Watching
from sklambda.signature import Target
from tests.conftest import REPOSITORY
from training.errors import ConfigurationError
from training.metrics import METRICS, Plan, measure
from training.train.config import Evaluation, Gates, load

EXAMPLE = REPOSITORY / "training/examples/churn/train.toml"
SMALLEST = 'name = "m"\n[data]\ntarget = "y"\n[pipeline]\nbuild = "pipeline:build"\n'

type Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        file = tmp_path / "train.toml"
        file.write_text(text)
        return file

    return write


def _refusal(path: Path, *overrides: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        load(path, overrides)
    return str(refused.value)


def test_three_sections_are_enough(write: Write) -> None:
    config = load(write(SMALLEST))

    assert (config.name, config.data.target, config.pipeline.options) == ("m", "y", {})


def test_the_example_is_read_with_every_section() -> None:
    config = load(EXAMPLE)

    assert (config.data.row_id, config.gates.roc_auc) == ("customerID", 0.7)


def test_a_byte_order_mark_is_no_fault(write: Write) -> None:
    assert load(write("\ufeff" + SMALLEST)).name == "m"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "nowhere.toml: No such file" in _refusal(tmp_path / "nowhere.toml")


def test_what_is_not_toml_is_refused_with_its_line(write: Write) -> None:
    assert "at line 2" in _refusal(write('name = "m"\ntarget: y\n'))


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "train.toml"
    file.write_bytes(b"name = \xff")

    assert "not UTF-8" in _refusal(file)


@pytest.mark.parametrize(
    ("override", "wrong", "right"),
    [
        ("nam=1", "`nam`", "`name`"),
        ("data.targett=x", "`data.targett`", "`data.target`"),
        ("pipeline.optoins.model=x", "`pipeline.optoins`", "`pipeline.options`"),
        ("target=x", "`target`", "`data.target`"),
        ("gates.auc=0.7", "`gates.auc`", "`gates.roc_auc`"),
        ("monitor.window=24", "`monitor.window`", "`monitor.window_hours`"),
        ("monitor.retrain.label=9", "`monitor.retrain.label`", "`monitor.retrain.labels`"),
        ("cooldown_hours=1", "`cooldown_hours`", "`monitor.retrain.cooldown_hours`"),
        ("pipeline.model=x", "`pipeline.model`", "`pipeline.options`"),
    ],
)
def test_a_wrong_key_names_itself_and_the_nearest_right_one(
    override: str, wrong: str, right: str
) -> None:
    message = _refusal(EXAMPLE, override)

    assert f"{wrong} is not a key" in message
    assert message.endswith((f"did you mean {right}?", f"goes under {right}"))


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("seed=1.5", "`seed` must be a whole number"),
        ("seed=true", "`seed` must be a whole number"),
        ("seed=-1", "`seed` must be greater than or equal to 0"),
        ("name=7", "`name` must be text"),
        ("name=a/b", "`name` must start with a letter or digit"),
        ("pipeline=1", "`pipeline` must be a table"),
        ("pipeline.build=build", '`pipeline.build` must name a function as "module:function"'),
        ("data.drop=gender", "`data.drop` must be a list"),
        ('data.drop=["gender", 1]', "`data.drop.1` must be text"),
        ('data.drop=["Churn"]', "`data` must name different columns"),
        ("evaluation.test_size=1.0", "`evaluation.test_size` must be less than 1"),
        ("evaluation.positive=[1]", "`evaluation.positive` must be text, a number or a boolean"),
        ("gates.roc_auc=high", "`gates.roc_auc` must be a number"),
        ("gates.roc_auc=nan", "`gates.roc_auc` must be a finite number"),
        ("gates.accuracy=2", "`gates.accuracy` must be less than or equal to 1"),
        ("gates.log_loss=-0.1", "`gates.log_loss` must be greater than or equal to 0"),
        ("data.target=", "`data.target` is missing"),
        ("monitor.effect=0", "`monitor.effect` must be greater than 0"),
        ("monitor.groups=gender", "`monitor.groups` must be a list"),
        ("monitor.retrain.windows=4", "`monitor.retrain` must have `windows` no greater than"),
    ],
)
def test_a_wrong_value_names_its_key_and_what_is_expected(override: str, sentence: str) -> None:
    assert sentence in _refusal(EXAMPLE, override)


def test_all_faults_are_told_at_once() -> None:
    message = _refusal(EXAMPLE, "seed=x", "data.target=", "gates.f2=1")

    assert "has 3 faults" in message
    assert all(key in message for key in ("`seed`", "`data.target`", "`gates.f2`"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("logistic_regression", "logistic_regression"),
        ('"7"', "7"),
        ("7", 7),
        ("[1, 2]", [1, 2]),
        ("a=b", "a=b"),
        ("1\nother = 2", "1\nother = 2"),
        (" spaced ", "spaced"),
    ],
)
def test_an_override_is_toml_or_else_text(text: str, value: object) -> None:
    config = load(EXAMPLE, [f"pipeline.options.model={text}"])

    assert config.pipeline.options == {"model": value}


def test_an_override_makes_the_tables_that_it_needs(write: Write) -> None:
    config = load(write(SMALLEST), ["pipeline.options.depth=3", "gates.accuracy=0.5"])

    assert (config.pipeline.options, config.gates.accuracy) == ({"depth": 3}, 0.5)


def test_an_empty_override_removes_the_key() -> None:
    assert load(EXAMPLE, ["data.row_id="]).data.row_id is None


@pytest.mark.parametrize("override", ["seed", "=1", "data..target=x", ".=1"])
def test_an_override_that_is_no_pair_says_how_to_write_one(override: str) -> None:
    assert "write it as key=value" in _refusal(EXAMPLE, override)


def test_an_override_below_a_value_is_refused() -> None:
    assert "`seed` is a value, not a table" in _refusal(EXAMPLE, "seed.x=1")


def test_the_monitor_watches_what_the_table_says(write: Write) -> None:
    config = load(write(SMALLEST), ['monitor.groups=["gender"]', "monitor.retrain.labels=50"])

    watching = config.monitor.watching
    assert watching.groups == ("gender",)
    assert watching.retrain.labels == 50


def test_without_the_table_it_watches_what_it_does_by_default(write: Write) -> None:
    assert load(write(SMALLEST)).monitor.watching == Watching()


def test_each_metric_of_two_classes_can_have_a_gate() -> None:
    target, true = Target(task="binary", classes=(0, 1)), np.array([[0], [1]])
    measured = measure(target, np.array([[0.6, 0.4], [0.2, 0.8]]), true, true)

    assert {*measured} <= {*Gates.model_fields}


def test_each_metric_but_the_bias_can_have_a_gate() -> None:
    assert {*METRICS} - {*Gates.model_fields} == {"bias"}


@pytest.mark.parametrize(
    ("override", "right"),
    [("data.task=regresion", "regression"), ('data.read.types.a="categry"', "category")],
)
def test_a_wrong_value_among_few_names_them_and_the_nearest(override: str, right: str) -> None:
    message = _refusal(EXAMPLE, override)

    assert "must be one of " in message
    assert message.endswith(f"did you mean `{right}`?")


def test_a_wrong_key_comes_with_those_that_there_are() -> None:
    message = _refusal(EXAMPLE, "gates.f2=1")

    assert "the keys of `gates` are accuracy, precision, recall" in message


def test_a_tab_can_be_stated_as_a_shell_writes_it() -> None:
    assert load(EXAMPLE, [r"data.read.delimiter=\t"]).data.read.delimiter == "\t"


def test_intervals_are_made_as_without_a_configuration() -> None:
    settings, plan = Evaluation(), Plan()

    assert (settings.bootstrap, settings.confidence) == (plan.resamples, plan.confidence)
