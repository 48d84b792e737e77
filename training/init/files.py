"""The texts of the files of a new project."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import Final

from training.init.roles import Roles
from training.init.rules import Choice, toml
from training.train.config import Learning


@dataclass(frozen=True, slots=True)
class Plan:
    """What a project is made for.

    Attributes
    ----------
    name : str
        The model's name.
    path : str
        Where the rows are, relative to the project.
    target : str
        The column to predict.
    learning : str
        Its task.
    why : str
        What says so.
    roles : Roles
        The other columns.
    choices : tuple of Choice
        How the file is read.
    rows : int
        How many there are.
    test_size : float
        The share that is held out.
    """

    name: str
    path: str
    target: str
    learning: Learning
    why: str
    roles: Roles
    choices: tuple[Choice, ...]
    rows: int
    test_size: float = 0.2


_MANY_ROWS: Final = 2_000
"""From so many rows on, boosted trees; below, and of texts, a linear model."""

_GATES: Final = {
    "classification": "# roc_auc = 0.7",
    "regression": "# r2 = 0.3",
}
_OTHER: Final = {"classification": "regression", "regression": "classification"}


def configuration(plan: Plan) -> str:
    """Return the text of ``train.toml``."""
    roles = plan.roles
    lines = [
        "# Made by a look at the data: change what it could not tell.",
        f"#   sklambda train train.toml --out package    # {plan.rows:,} rows",
        "",
        f"name = {toml(plan.name)}",
        "seed = 0  # decides what is random: the same seed, data and code give the same model",
        "",
        "[data]",
        f"path = {toml(plan.path)}  # beside this file; --data comes first",
        f"target = {toml(plan.target)}",
        f"task = {toml(plan.learning)}  # {plan.why}; or {toml(_OTHER[plan.learning])}",
    ]
    if roles.row_id is not None:
        lines.append(f"row_id = {toml(roles.row_id)}  # different in every row; never learnt from")
    if roles.dropped:
        dropped = [f"  {toml(name)},  # {why}" for name, why in roles.dropped.items()]
        lines += ["drop = [", *dropped, "]"]
    if roles.texts:
        lines.append(f"text = {toml(roles.texts)}  # free text")
    if plan.choices:
        lines += ["", "[data.read]  # kept with the model: files to score are read so too"]
        lines += _rules(plan.choices)
    lines += [
        "",
        "[pipeline]",
        'build = "pipeline:build"  # pipeline.py, build(seed)',
        "",
        "[evaluation]",
        f"test_size = {plan.test_size}  # the share of rows held out, which the metrics are of",
        "",
        "[gates]  # a model that misses one is not written",
        _GATES[plan.learning],
    ]
    return "\n".join([*lines, ""])


def _rules(choices: Iterable[Choice]) -> list[str]:
    """Return the lines of rules: those of lists in one line each, with all reasons above."""
    lists: dict[str, list[Choice]] = {}
    lines = []
    for choice in choices:
        key, _, value = choice.line.partition(" = ")
        if value.startswith("["):
            lists.setdefault(key, []).append(choice)
        elif choice.line not in lines:
            lines += [f"# {choice.reason}", choice.line]
    for key, several in lists.items():
        values = [json.loads(one.line.partition(" = ")[2]) for one in several]
        joined = list(dict.fromkeys(value for each in values for value in each))
        lines += [*dict.fromkeys(f"# {one.reason}" for one in several), f"{key} = {toml(joined)}"]
    return lines


def pipeline(plan: Plan) -> str:
    """Return the text of ``pipeline.py``."""
    roles = plan.roles
    trees = plan.rows >= _MANY_ROWS and not roles.texts
    parts = list(_parts(roles, trees))
    model, module = _model(plan.learning, trees)
    imports = [*_USUAL, *(one for part in parts for one in part.imports), (module, model)]
    lists = {
        "NUMBERS": roles.numbers,
        "CATEGORIES": roles.categories,
        "BOOLEANS": roles.booleans,
        "DATES": roles.dates,
    }
    names = "\n".join(_listed(name, columns) for name, columns in lists.items() if columns)
    entries = "\n".join(indent(part.text, " " * 12) for part in parts)
    return f'''"""The pipeline that predicts {_quoted(plan.target)}."""

{_imported(imports)}

{names}


def build() -> Pipeline:
    """Return the pipeline before its training; what is random in it gets the seed of train.toml."""
    columns = ColumnTransformer(
        [
{entries}
        ]
    )
    return Pipeline([("columns", columns), ("model", {model}({_PARAMETERS.get(model, "")}))])
'''


def _imported(names: Iterable[tuple[str, str]]) -> str:
    """Return the imports of names in modules."""
    modules: dict[str, set[str]] = {}
    for module, name in names:
        modules.setdefault(module, set()).add(name)
    return "\n".join(
        f"from {module} import {', '.join(sorted(modules[module]))}" for module in sorted(modules)
    )


def _quoted(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', "'").replace("\n", " ")


def _listed(name: str, columns: Sequence[str]) -> str:
    line = f"{name} = {columns!r}".replace("'", '"')
    if len(line) <= 100 and not any('"' in column or "'" in column for column in columns):
        return line
    return "\n".join([f"{name} = [", *(f"    {toml(column)}," for column in columns), "]"])


def _model(learning: Learning, trees: bool) -> tuple[str, str]:
    """Return the class of the model, and its module."""
    if trees:
        kind = "Classifier" if learning == "classification" else "Regressor"
        return f"HistGradientBoosting{kind}", "sklearn.ensemble"
    return "LogisticRegression" if learning == "classification" else "Ridge", "sklearn.linear_model"


_PARAMETERS: Final = {"LogisticRegression": "max_iter=1000"}
_USUAL: Final = (("sklearn.compose", "ColumnTransformer"), ("sklearn.pipeline", "Pipeline"))


@dataclass(frozen=True, slots=True)
class _Part:
    """An entry of the ColumnTransformer."""

    text: str
    imports: tuple[tuple[str, str], ...]


_IMPUTER: Final = ("sklearn.impute", "SimpleImputer")
_STEPS: Final = ("sklearn.pipeline", "make_pipeline")
_SCALER: Final = ("sklearn.preprocessing", "StandardScaler")
_ENCODER: Final = ("sklearn.preprocessing", "OneHotEncoder")
_TEXTS: Final = ("sklearn.feature_extraction.text", "TfidfVectorizer")
_DATES: Final = (
    ("sklambda.features", "DateParts"),
    ("sklambda.features", "DaysSince"),
    ("sklearn.pipeline", "make_union"),
)


_CATEGORIES: Final = """\
(
    "categories",
    OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=0.005, sparse_output=False
    ),
    CATEGORIES,
),"""


def _parts(roles: Roles, trees: bool) -> Iterable[_Part]:
    if roles.numbers and trees:
        yield _Part('("numbers", "passthrough", NUMBERS),', ())
    elif roles.numbers:
        steps = 'make_pipeline(SimpleImputer(strategy="median"), StandardScaler())'
        yield _Part(f'("numbers", {steps}, NUMBERS),', (_IMPUTER, _STEPS, _SCALER))
    if roles.categories:
        # Rare categories share one column, and so does one that training did not have.
        yield _Part(_CATEGORIES, (_ENCODER,))
    if roles.booleans:
        encoder = 'OneHotEncoder(handle_unknown="ignore", sparse_output=False)'
        yield _Part(f'("booleans", {encoder}, BOOLEANS),', (_ENCODER,))
    if roles.dates:
        parts = '["month", "weekday", "hour"]' if roles.has_hours else '["month", "weekday"]'
        union = f'make_union(DateParts({parts}), DaysSince("2000-01-01")),'
        scaled = ["make_pipeline(", f"    {union}", "    StandardScaler(),", "),"]
        lines = ['"dates",', *([union] if trees else scaled), "DATES,"]
        text = "\n".join(["(", *(f"    {line}" for line in lines), "),"])
        yield _Part(text, (*_DATES, *(() if trees else (_STEPS, _SCALER))))
    for name in roles.texts:
        vectoriser = "TfidfVectorizer(min_df=2, max_features=1000)"
        text = f"({toml('text ' + name)}, {vectoriser}, {toml(name)}),"
        yield _Part(text, (_TEXTS,))


TEST: Final = '''"""The pipeline can be exported, and scores as scikit-learn does."""

import subprocess
import sys
from pathlib import Path


def test_the_pipeline_can_be_exported() -> None:
    command = [sys.executable, "-m", "sklambda", "check", "train.toml"]

    run = subprocess.run(
        command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stderr
'''
IGNORED: Final = """\
/package/
/scored/
__pycache__/
.pytest_cache/
"""
