"""The rules of the house, as far as a program can hold them."""

import ast
import dataclasses
import json
import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from functions.authorize.settings import Settings as AuthorizeSettings
from functions.batch.settings import VARIABLES as BATCH_OPTIONS
from functions.batch.settings import Settings as BatchSettings
from functions.monitor.settings import Settings as MonitorSettings
from functions.predict.settings import Settings
from tests.conftest import REPOSITORY, Trained

FUNCTIONS = sorted(path.name for path in (REPOSITORY / "functions").iterdir() if path.is_dir())
PARTS = ("functions", "layers/shared/sklambda", "training")
SOURCES = sorted(path for part in PARTS for path in (REPOSITORY / part).rglob("*.py"))
TESTS = sorted((REPOSITORY / "tests").rglob("*.py"))
MOST_LINES = 400
MOST_LINES_OF_THE_README = 150
MOST_LINES_OF_A_FUNCTION = 35
HEAVY = {"boto3", "botocore.session", "onnx", "pandas", "scipy", "sklearn", "skl2onnx", "training"}
OF_LIBRARIES = {
    "OPENBLAS_NUM_THREADS": "numpy",
    "ORT_DISABLE_TELEMETRY": "onnxruntime",
    "POWERTOOLS_SERVICE_NAME": "Powertools",
}

# The brackets keep the expression from finding itself.
ADDRESS = re.compile(
    r"--(?:extra-)?index-ur[l]|--find-link[s]|https?://\S*/(?:simpl[e]|package[s])/"
    r"|pythonhoste[d]\.|pypi\.or[g]|npmjs\.or[g]|deb\.debia[n]\."
    r"|/roo[t]/|/hom[e]/\w+/|(?<![\w}])/wor[k]/"
)


@cache
def tracked() -> tuple[Path, ...]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    paths = (REPOSITORY / name for name in run.stdout.split("\0") if name)
    return tuple(path for path in paths if path.is_file())


def relative(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)} imports from where it stands"
            found.add(str(node.module))
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's short functions as what they are applied to."""


def _short_function(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


Loader.add_multi_constructor("!", _short_function)


@cache
def template() -> dict[str, Any]:
    text = (REPOSITORY / "template.yaml").read_text()
    document: dict[str, Any] = yaml.load(text, Loader)  # a SafeLoader
    return document


def lambda_functions() -> dict[str, dict[str, Any]]:
    return {
        name: resource
        for name, resource in template()["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_arrows_point_one_way(path: Path) -> None:
    part, name = relative(path).split("/")[:2]
    forbidden = {
        "functions": {"training", "tests", *(f"functions.{f}" for f in FUNCTIONS if f != name)},
        "layers": {"training", "tests", "functions"},
        "training": {"tests", "functions"},
    }[part]

    crossing = {
        module
        for module in imports(path)
        for root in forbidden
        if module == root or module.startswith(f"{root}.")
    }

    assert crossing == set()


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_only_handlers_make_clients_and_read_the_environment(path: Path) -> None:
    if path.name == "handler.py":
        return
    text = path.read_text()
    # The one other mention of the environment switches onnxruntime's telemetry off.
    expected = ["os.environ["] if path.name == "session.py" else []

    assert not {"boto3", "botocore"} & imports(path)
    assert re.findall(r"os\.environ\b\W?|getenv\b|environb\b", text) == expected


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_onnxruntime_is_imported_where_its_telemetry_is_off(path: Path) -> None:
    found = {module for module in imports(path) if module.split(".")[0] == "onnxruntime"}

    assert not found or path.name == "session.py"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_has_its_handler_in_the_template(name: str) -> None:
    [function] = [
        function
        for function in lambda_functions().values()
        if function["Properties"]["CodeUri"] == f"functions/{name}"
    ]

    assert (REPOSITORY / "functions" / name / "handler.py").is_file()
    assert function["Properties"]["Handler"] == f"functions.{name}.handler.handler"
    assert function["Metadata"] == _metadata(name)


def _metadata(name: str) -> dict[str, Any]:
    """Give what keeps a function's modules below ``functions.<name>`` in its artifact."""
    if (REPOSITORY / "functions" / name / "Makefile").exists():
        return {"BuildMethod": "makefile"}
    parents = {"ParentPackageMode": "explicit", "ParentPackages": f"functions.{name}"}
    return {"BuildProperties": parents}


def test_the_template_has_no_function_without_a_folder() -> None:
    assert len(lambda_functions()) == len(FUNCTIONS)


def test_functions_are_a_namespace_package() -> None:
    """With an __init__.py, `sam build` would ship another module than the tests import."""
    assert list((REPOSITORY / "functions").rglob("__init__.py")) == []


def settings(function: str = "Predict") -> set[str]:
    other = {"Authorize": AuthorizeSettings, "Batch": BatchSettings, "Monitor": MonitorSettings}
    read = other.get(function, Settings)
    names = {field.name.upper() for field in dataclasses.fields(read)}
    return names - {"OPTIONS"} | set(BATCH_OPTIONS) if function == "Batch" else names


@pytest.mark.parametrize("name", sorted(settings("Batch")))
def test_each_setting_of_batch_stands_on_its_page(name: str) -> None:
    assert f"`{name}`" in (REPOSITORY / "docs/batch.md").read_text()


@pytest.mark.parametrize("name", sorted(settings("Monitor")))
def test_each_setting_of_the_monitor_stands_on_its_page(name: str) -> None:
    assert f"`{name}`" in (REPOSITORY / "docs/monitoring.md").read_text()


@pytest.mark.parametrize("name", sorted(settings()))
def test_each_setting_stands_in_the_readme(name: str) -> None:
    assert f"`{name}`" in (REPOSITORY / "README.md").read_text()


@pytest.mark.parametrize("name", sorted(lambda_functions()))
def test_the_template_sets_each_setting_and_nothing_that_nobody_reads(name: str) -> None:
    variables = lambda_functions()[name]["Properties"]["Environment"]["Variables"]

    assert settings(name) <= set(variables)
    assert set(variables) - settings(name) <= set(OF_LIBRARIES)


def test_each_event_is_used_by_a_test() -> None:
    text = "".join(path.read_text() for path in TESTS)
    unused = [
        path.name for path in (REPOSITORY / "events").iterdir() if f"events/{path.name}" not in text
    ]

    assert unused == []


def test_each_event_is_json() -> None:
    for path in (REPOSITORY / "events").glob("*.json"):
        json.loads(path.read_text())


def pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;]+)", path.read_text(), re.MULTILINE))


def declared(requirements: list[str]) -> dict[str, str]:
    plain: list[list[str]] = [
        re.sub(r"\[.*?\]", "", requirement.partition(";")[0]).strip().split("==")
        for requirement in requirements
    ]
    return dict(plain)


def lock_of(group: str) -> str:
    layer = REPOSITORY / "layers" / group
    return f"layers/{group}/requirements.txt" if layer.is_dir() else f"requirements/{group}.txt"


def groups() -> dict[str, list[str]]:
    document = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    runtime: list[str] = document["project"]["dependencies"]
    extras = document["project"]["optional-dependencies"]
    return {
        "layers/runtime/requirements.txt": runtime,
        "requirements/training.txt": [*runtime, *extras["training"]],
        "requirements/dev.txt": [*runtime, *extras["training"], *extras["dev"]],
        **{lock_of(name): pinned for name, pinned in document["dependency-groups"].items()},
    }


@pytest.mark.parametrize("lock", groups())
def test_a_lock_file_has_the_versions_of_pyproject(lock: str) -> None:
    assert declared(groups()[lock]).items() <= pins(REPOSITORY / lock).items(), "run `make lock`"


@pytest.mark.parametrize(
    "lock",
    [
        "layers/runtime/requirements.txt",
        "layers/tables/requirements.txt",
        "layers/tokens/requirements.txt",
        "requirements/training.txt",
    ],
)
def test_what_is_deployed_is_what_is_tested(lock: str) -> None:
    assert pins(REPOSITORY / lock).items() <= pins(REPOSITORY / "requirements/dev.txt").items()


@pytest.mark.parametrize("lock", groups())
def test_every_locked_version_has_its_hash(lock: str) -> None:
    text = (REPOSITORY / lock).read_text()

    assert len(pins(REPOSITORY / lock)) == len(re.findall(r"==.* \\\n    --hash=sha256:", text))


def test_no_file_holds_an_index_address_or_a_path_of_a_machine() -> None:
    found = [
        f"{relative(path)}: {match[0]}"
        for path in tracked()
        if (match := ADDRESS.search(path.read_bytes().decode("utf-8", "replace")))
    ]

    assert found == []


def test_names_say_what_they_hold() -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "misc"}
    found = [relative(path) for path in tracked() if empty & {path.stem, *path.parts}]

    assert found == []


def test_no_model_and_no_data_is_committed() -> None:
    kinds = {".onnx", ".pkl", ".joblib", ".npz", ".parquet", ".csv", ".zip"}

    assert [relative(path) for path in tracked() if path.suffix in kinds] == []


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=relative)
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if line.strip()]

    assert len(lines) <= MOST_LINES or path == Path(__file__), "split it"


def function_lengths(path: Path) -> dict[str, int]:
    lengths = {}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            first = body[0].lineno if body else node.lineno
            lengths[node.name] = (node.end_lineno or 0) - first + 1
    return lengths


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_function_fits_on_a_page(path: Path) -> None:
    long = {
        n: lines for n, lines in function_lengths(path).items() if lines > MOST_LINES_OF_A_FUNCTION
    }

    assert long == {}


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    text = (REPOSITORY / "README.md").read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]

    assert len(text.splitlines()) <= MOST_LINES_OF_THE_README
    assert [link for link in links if not (REPOSITORY / link).exists()] == []


@pytest.mark.parametrize("path", sorted((REPOSITORY / "docs").glob("*.md")), ids=relative)
def test_each_page_of_the_docs_is_linked_from_the_readme(path: Path) -> None:
    assert f"({relative(path)})" in (REPOSITORY / "README.md").read_text()


def test_make_help_shows_each_verb() -> None:
    run = subprocess.run(
        ["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    shown = {line.split()[0] for line in run.stdout.splitlines() if line.strip()}

    assert {"up", "test", "check", "build", "local", "deploy", "bench", "help"} <= shown


def test_the_predict_path_imports_nothing_heavy(churn: Trained) -> None:
    script = "import sys, functions.predict.handler; print(*sys.modules)"

    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env=os.environ | {"MODEL_DIR": str(churn.package)},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )

    assert HEAVY & set(run.stdout.split()) == set()
