"""The rules of the house, as far as a program can hold them."""

import ast
import dataclasses
import json
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement

from functions.authorize.settings import Settings as AuthorizeSettings
from functions.batch.settings import VARIABLES as BATCH_OPTIONS
from functions.batch.settings import Settings as BatchSettings
from functions.monitor.settings import Settings as MonitorSettings
from functions.predict.settings import Settings
from tests.conftest import REPOSITORY, Trained
from training.convert import FAMILIES

FUNCTIONS = sorted(path.name for path in (REPOSITORY / "functions").iterdir() if path.is_dir())
PARTS = ("functions", "layers/shared/sklambda", "training")
SOURCES = sorted(path for part in PARTS for path in (REPOSITORY / part).rglob("*.py"))
TESTS = sorted((REPOSITORY / "tests").rglob("*.py"))
MOST_LINES_OF_A_FILE = 400
MOST_FILES_OF_A_FOLDER = 16
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


ORDER: dict[str, list[str]] = {
    "functions.authorize": ["handler", "settings tokens"],
    "functions.predict": [
        "__main__",
        "handler",
        "assembly",
        "app",
        "dialects",
        "registry",
        "service",
        "challengers",
        "observe pages",
        "model",
        "http packages",
        "settings",
    ],
    "functions.batch": [
        "__main__ handler",
        "service",
        "steps settings",
        "jobs",
        "scoring",
        "formats",
    ],
    "functions.monitor": [
        "__main__ handler",
        "run",
        "notify",
        "judge report",
        "results",
        "performance",
        "alarms drift outcomes",
        "counting statistics",
        "events settings state targets watched_model",
    ],
    "training": [
        "__main__ project",
        "console",
        "init",
        "train checks",
        "exporter",
        "arguments package_writer proof unread",
        "baseline",
        "convert",
        "convert.tracing",
        "convert.families",
        "explain targets",
        "convert.graph data frames metrics networks package_check tables",
        "convert.releases",
        "convert.unconverted errors examples",
    ],
    "sklambda": [
        "__main__",
        "error_model predictor",
        "package explain",
        "sketch",
        "codec decision manifest",
        "signature policy telemetry",
        "reading",
        "datetimes document session settings storage",
        "arrays errors features prediction_ids",
    ],
}
"""The rooms of each package, floor by floor: an import leads to the same room or a lower floor."""


@cache
def modules() -> dict[str, Path]:
    """Return the source files by the names that they are imported by."""
    names = {}
    for path in SOURCES:
        name = relative(path).removeprefix("layers/shared/").removesuffix(".py").replace("/", ".")
        names[name.removesuffix(".__init__")] = path
    return names


@cache
def imported_modules(name: str) -> frozenset[str]:
    """Return the modules of this project that a module imports, lazily or for types included."""
    return frozenset(imports(modules()[name]) & modules().keys() - {name})


def room(package: str, module: str) -> str:
    parts = module.removeprefix(package).lstrip(".").split(".")
    inner = ".".join(parts[:2])
    return inner if inner in " ".join(ORDER[package]).split() else parts[0]


def floors(package: str) -> dict[str, int]:
    return {name: floor for floor, names in enumerate(ORDER[package]) for name in names.split()}


def package_of(module: str) -> str | None:
    return next((one for one in ORDER if module.startswith(f"{one}.")), None)


def test_each_room_has_its_place_in_the_order() -> None:
    missing = [
        name
        for name in modules()
        if (package := package_of(name)) and room(package, name) not in floors(package)
    ]

    assert missing == [], "add them to ORDER, where their imports let them stand"


def test_imports_lead_down_the_floors() -> None:
    against = [
        f"{name} imports {other}"
        for name in modules()
        if (package := package_of(name))
        for other in sorted(imported_modules(name))
        if package_of(other) == package
        and (mine := room(package, name)) != (theirs := room(package, other))
        and floors(package)[mine] >= floors(package)[theirs]
    ]

    assert against == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    sorter = TopologicalSorter({name: imported_modules(name) for name in modules()})

    sorter.prepare()  # raises CycleError, which names the circle


def test_packages_import_one_way() -> None:
    forbidden = {
        "functions": lambda own: (
            {"training", "tests", *(f"functions.{f}" for f in FUNCTIONS)} - {f"functions.{own}"}
        ),
        "layers": lambda own: {"training", "tests", "functions"},
        "training": lambda own: {"tests", "functions"},
    }
    crossing = [
        f"{relative(path)} imports {module}"
        for path in SOURCES
        for part, name in [relative(path).split("/")[:2]]
        for module in sorted(imports(path))
        for root in forbidden[part](name)
        if module == root or module.startswith(f"{root}.")
    ]

    assert crossing == []


def test_only_handlers_make_clients_and_read_the_environment() -> None:
    found = {}
    for path in SOURCES:
        mentions = re.findall(r"os\.environ\b\W?|getenv\b|environb\b", path.read_text())
        clients = sorted({"boto3", "botocore"} & imports(path))
        if (mentions or clients) and path.name != "handler.py":
            found[relative(path)] = [*mentions, *clients]

    # A training run reads from S3, where its data are. The others write: `serve PACKAGE` is
    # MODEL_DIR for the handler; onnxruntime's telemetry is off.
    assert found == {
        "functions/predict/__main__.py": ["os.environ["],
        "layers/shared/sklambda/session.py": ["os.environ["],
        "training/data/sources.py": ["boto3"],
    }


def test_onnxruntime_is_imported_where_its_telemetry_is_off() -> None:
    found = [
        relative(path)
        for path in SOURCES
        if any(module.split(".")[0] == "onnxruntime" for module in imports(path))
    ]

    assert found == ["layers/shared/sklambda/session.py"]


def test_a_folder_can_be_surveyed() -> None:
    folders = Counter(relative(path.parent) for path in SOURCES)
    del folders["training/convert/families"]  # a file for each of scikit-learn's families

    assert {name: n for name, n in folders.items() if n > MOST_FILES_OF_A_FOLDER} == {}


def test_each_function_has_its_handler_in_the_template() -> None:
    functions = {
        resource["Properties"]["CodeUri"]: resource for resource in lambda_functions().values()
    }

    assert sorted(functions) == [f"functions/{name}" for name in FUNCTIONS]
    for name in FUNCTIONS:
        function = functions[f"functions/{name}"]
        assert (REPOSITORY / "functions" / name / "handler.py").is_file()
        assert function["Properties"]["Handler"] == f"functions.{name}.handler.handler"
        assert function["Metadata"] == _metadata(name)


def _metadata(name: str) -> dict[str, Any]:
    """Give what keeps a function's modules below ``functions.<name>`` in its artifact."""
    if (REPOSITORY / "functions" / name / "Makefile").exists():
        return {"BuildMethod": "makefile"}
    parents = {"ParentPackageMode": "explicit", "ParentPackages": f"functions.{name}"}
    return {"BuildProperties": parents}


def test_functions_are_a_namespace_package() -> None:
    """With an __init__.py, `sam build` would ship another module than the tests import."""
    assert list((REPOSITORY / "functions").rglob("__init__.py")) == []


def settings(function: str = "Predict") -> set[str]:
    other = {"Authorize": AuthorizeSettings, "Batch": BatchSettings, "Monitor": MonitorSettings}
    read = other.get(function, Settings)
    names = {field.name.upper() for field in dataclasses.fields(read)}
    return names - {"OPTIONS"} | set(BATCH_OPTIONS) if function == "Batch" else names


def test_each_setting_is_documented() -> None:
    page = (REPOSITORY / "docs/settings.md").read_text()
    known = {name for function in lambda_functions() for name in settings(function)}

    assert sorted(name for name in known if f"`{name}`" not in page) == []


def test_the_template_sets_each_setting_and_no_other_variable() -> None:
    for name, function in lambda_functions().items():
        variables = set(function["Properties"]["Environment"]["Variables"])

        assert settings(name) - variables == set(), name
        assert variables - settings(name) - set(OF_LIBRARIES) == set(), name


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


def pyproject() -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text())


def groups() -> dict[str, list[str]]:
    pinned = pyproject()["dependency-groups"]
    training = [*pinned["runtime"], *pinned["training"]]
    more = {"training": training, "dev": [*training, *pinned["dev"]]}
    return {lock_of(name): requirements for name, requirements in (pinned | more).items()}


def published() -> list[Requirement]:
    """Return what the wheel requires, its extras included."""
    project = pyproject()["project"]
    ranges = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(text) for texts in ranges for text in texts]


def test_the_wheel_requires_ranges_that_hold_what_both_ends_have() -> None:
    ends = [pins(REPOSITORY / f"requirements/{lock}.txt") for lock in ("oldest", "dev")]
    outside = [
        f"{required}: {end[required.name]}"
        for required in published()
        for end in ends
        if not required.specifier.contains(end[required.name])
    ]

    assert outside == []
    assert [str(required) for required in published() if "==" in str(required.specifier)] == []


def test_the_page_of_versions_has_each_range_and_what_is_tested() -> None:
    page = (REPOSITORY / "docs/versions.md").read_text()
    ends = [pins(REPOSITORY / f"requirements/{lock}.txt") for lock in ("oldest", "dev")]
    project = pyproject()["project"]
    rows = [
        f"| {name} | {text.removeprefix(name)} | {' | '.join(end[name] for end in ends)} |"
        for texts in (project["dependencies"], *project["optional-dependencies"].values())
        for text in texts
        for name in (Requirement(text).name,)
    ]

    assert [row for row in rows if row not in page] == []


def test_the_oldest_end_has_the_least_scikit_learn_and_pandas() -> None:
    oldest = pins(REPOSITORY / "requirements/oldest.txt")
    least = {
        required.name: one.version
        for required in published()
        for one in required.specifier
        if one.operator == ">="
    }

    for name in ("scikit-learn", "pandas"):
        assert oldest[name].startswith(f"{least[name]}."), name


def test_lock_files_have_the_versions_of_pyproject() -> None:
    behind = {
        lock: sorted(declared(pinned).items() - pins(REPOSITORY / lock).items())
        for lock, pinned in groups().items()
    }

    assert {lock: pinned for lock, pinned in behind.items() if pinned} == {}, "run `make lock`"


def test_what_is_deployed_is_what_is_tested() -> None:
    tested = pins(REPOSITORY / "requirements/dev.txt").items()
    deployed = [*(f"layers/{n}/requirements.txt" for n in ("runtime", "tables", "tokens"))]

    for lock in (*deployed, "requirements/training.txt"):
        assert pins(REPOSITORY / lock).items() - tested == set(), lock


def test_every_locked_version_has_its_hash() -> None:
    for lock in groups():
        text = (REPOSITORY / lock).read_text()
        pinned = re.findall(r"^[A-Za-z0-9_.-]+==", text, re.MULTILINE)
        hashed = re.findall(r"==.* \\\n    --hash=sha256:", text)

        assert len(pinned) == len(hashed), lock


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


def test_a_file_can_be_read_in_one_sitting() -> None:
    sizes = {
        relative(path): sum(1 for line in path.read_text().splitlines() if line.strip())
        for path in SOURCES + TESTS
    }
    del sizes[relative(Path(__file__))]

    assert {name: n for name, n in sizes.items() if n > MOST_LINES_OF_A_FILE} == {}, "split them"


def function_lengths(path: Path) -> dict[str, int]:
    lengths = {}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            first = body[0].lineno if body else node.lineno
            lengths[node.name] = (node.end_lineno or 0) - first + 1
    return lengths


def test_a_function_fits_on_a_page() -> None:
    long = [
        f"{relative(path)}: {name} has {lines} lines"
        for path in SOURCES
        for name, lines in function_lengths(path).items()
        if lines > MOST_LINES_OF_A_FUNCTION
    ]

    assert long == []


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    text = (REPOSITORY / "README.md").read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]

    assert len(text.splitlines()) <= MOST_LINES_OF_THE_README
    assert [link for link in links if not (REPOSITORY / link).exists()] == []


def test_each_page_of_the_docs_is_in_its_index() -> None:
    pages = {path.name for path in (REPOSITORY / "docs").glob("*.md")} - {"index.md"}
    index = (REPOSITORY / "docs/index.md").read_text()

    assert sorted(page for page in pages if f"({page})" not in index) == []
    assert "(docs/index.md)" in (REPOSITORY / "README.md").read_text()


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


def test_each_family_of_estimators_is_listed() -> None:
    files = (REPOSITORY / "training/convert/families").glob("[!_]*.py")

    assert sorted(path.stem for path in files) == sorted(FAMILIES)
