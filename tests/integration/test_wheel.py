"""The wheel, installed in an environment of its own, from folders that are no checkout.

Third-party packages come from the environment of the tests, this project's modules from the wheel.
"""

import csv
import gzip
import json
import re
import shutil
import subprocess
import tomllib
from datetime import datetime, timedelta
from email.message import Message
from email.parser import Parser
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from zipfile import ZipFile

import pytest

from sklambda.predictor import Predictor
from sklambda.sketch import layout
from tests.conftest import REPOSITORY
from tests.support.background_process import free_port, running
from tests.support.evidence import wait_for
from tests.support.installed import QUICK, Installed, variables, write_foreign_modules
from training.project.application import in_source

MINE = """
name = "mine"
[data]
target = "Churn"
row_id = "customerID"
path = "mine.csv"
[pipeline]
build = "mine:build"
[evaluation]
bootstrap = 20
"""
MINE_PIPELINE = """
from my_columns import NUMBERS
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler


def build():
    columns = ColumnTransformer([("scale", StandardScaler(), NUMBERS)])
    # Its candidates are fitted in processes of their own.
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2, n_jobs=2)
    return Pipeline([("columns", columns), ("model", search)])
"""

type Json = dict[str, Any]


@pytest.fixture(scope="module")
def empty(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A user who has nothing but the wheel."""
    return Installed(environment, tmp_path_factory.mktemp("empty"), variables(), ("sklambda",))


FORMS = [("sklambda",), ("python", "-m", "sklambda")]


@pytest.fixture(scope="module")
def trained_folder(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a user whose own modules have the names of ours, with a package."""
    folder = tmp_path_factory.mktemp("foreign") / "mine"
    folder.mkdir()
    write_foreign_modules(folder)
    (folder / "mine.toml").write_text(MINE)
    (folder / "mine.py").write_text(MINE_PIPELINE)
    (folder / "my_columns.py").write_text('NUMBERS = ["tenure", "MonthlyCharges"]\n')
    installed = Installed(environment, folder, variables(PYTHONPATH=str(folder)), FORMS[1])
    config = installed.example() / "train.toml"
    installed.sklambda("sample", config, "--rows", 400, "--out", "mine.csv")
    installed.sklambda("train", "mine.toml", "--out", "package")
    return folder


@pytest.fixture(scope="module", params=FORMS, ids=" ".join)
def foreign(request: pytest.FixtureRequest, environment: Path, trained_folder: Path) -> Installed:
    """The user, whose modules come first on the path, and either form of the command."""
    form: tuple[str, ...] = request.param
    folder = trained_folder.with_name("-".join(form))
    shutil.copytree(trained_folder, folder)
    return Installed(environment, folder, variables(PYTHONPATH=str(folder)), form)


def relative_files(*patterns: str) -> set[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return {name for name in run.stdout.splitlines() if (REPOSITORY / name).is_file()}


def test_the_wheel_holds_every_file_once(wheel: Path) -> None:
    built = [name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name]
    shared = relative_files("layers/shared/sklambda", "layers/shared/sklambda_app.pth")
    application = relative_files("functions", "training", "template.yaml", "layers") - shared

    assert sorted(built) == sorted(
        {
            *(f"sklambda_app/{name}" for name in application - {"layers/model/.gitignore"}),
            *(name.removeprefix("layers/shared/") for name in shared),
        }
    )
    assert "sklambda/py.typed" in built
    assert {Path(name).suffix for name in built} > {".css", ".html", ".js", ".toml", ".yaml"}


def test_the_application_of_the_wheel_is_that_of_the_checkout(wheel: Path, tmp_path: Path) -> None:
    application = in_source(wheel, tmp_path)

    assert application is not None
    assert {name: path.read_bytes() for name, path in application.files.items()} == {
        name: (REPOSITORY / name).read_bytes()
        for name in relative_files("functions", "template.yaml", "layers")
        - {"layers/model/.gitignore", "layers/shared/sklambda_app.pth"}
    }


def test_the_wheel_takes_no_name_that_users_give_to_their_folders(wheel: Path) -> None:
    top = {name.split("/")[0] for name in ZipFile(wheel).namelist()}

    assert {name for name in top if not name.endswith(".dist-info")} == {
        "sklambda",
        "sklambda_app",
        "sklambda_app.pth",
    }


def metadata(wheel: Path) -> Message:
    archive = ZipFile(wheel)
    [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    return Parser().parsestr(archive.read(name).decode())


def test_the_metadata_names_the_project_and_no_machine(wheel: Path) -> None:
    found = metadata(wheel)
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]

    assert (found["Name"], found["Version"]) == ("sklambda", project["version"])
    assert found["Summary"] == project["description"]
    assert found["License-Expression"] == "Apache-2.0"
    assert found["License-File"] == "LICENSE"
    assert found["Requires-Python"] == project["requires-python"]
    assert found["Description-Content-Type"] == "text/markdown"
    assert found.get_payload() == (REPOSITORY / "README.md").read_text()
    assert "Typing :: Typed" in (found.get_all("Classifier") or [])
    assert [value for value in found.values() if re.search("file:|localhost|127[.]0", value)] == []


def test_the_modules_are_those_of_the_wheel(empty: Installed) -> None:
    script = "import sklambda, training, functions.predict.__main__ as predict\n"
    script += "print(sklambda.__file__, training.__file__, predict.__file__, sep='\\n')"

    found = empty.run(empty.python, "-c", script).splitlines()

    assert len(found) == 3
    assert all(Path(name).is_relative_to(empty.environment) for name in found)


def test_the_version_is_that_of_the_wheel(empty: Installed, wheel: Path) -> None:
    assert empty.sklambda("--version") == f"sklambda {metadata(wheel)['Version']}\n"


def test_the_example_is_in_the_wheel_and_trains(empty: Installed) -> None:
    config = empty.example() / "train.toml"

    printed = empty.sklambda("train", config, "--out", "package", *QUICK)

    assert config.is_relative_to(empty.environment)
    assert "rows as scikit-learn" in printed
    assert Predictor.open(empty.folder / "package").replay() is None


def test_the_python_m_forms_work_too(empty: Installed) -> None:
    for module in ("training", "functions.predict", "functions.batch", "functions.monitor"):
        assert f"python -m {module}" in empty.run(empty.python, "-m", module, "--help")


def test_a_script_exports_a_pipeline(empty: Installed) -> None:
    (empty.folder / "export.py").write_text("""
import pandas as pd
import training
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0] * 10})
pipeline = Pipeline([("model", LogisticRegression())]).fit(frame, ["n", "n", "y", "y"] * 10)
training.export(pipeline, frame, out="exported", name="mine", target="y")
""")

    empty.run(empty.python, "export.py")

    assert Predictor.open(empty.folder / "exported").replay() is None


def test_in_a_script_a_module_of_the_user_comes_first(foreign: Installed) -> None:
    script = "try:\n  import training\nexcept RuntimeError as error: print(error)"

    assert foreign.run(foreign.python, "-c", script) == "a module of the user\n"


def rows(installed: Installed, count: int) -> list[Json]:
    """Read rows as a client would send them."""
    signature = Predictor.open(installed.folder / "package").package.signature
    read = {
        one.name: float if one.kind in {"number", "integer"} else str for one in signature.features
    }
    with (installed.folder / "mine.csv").open(newline="") as file:
        table = list(csv.DictReader(file))[:count]
    return [
        {name: kind(row[name]) if row[name] else None for name, kind in read.items()}
        for row in table
    ]


def test_a_package_is_verified(foreign: Installed) -> None:
    assert "scikit-learn" in foreign.sklambda("verify", "package", "--data", "mine.csv")


def test_a_package_is_served_and_its_records_are_judged(foreign: Installed, tmp_path: Path) -> None:
    port, sent = free_port(), rows(foreign, 20)
    command = [*foreign.command, "serve", "package", "--port", str(port)]
    settings = {"CAPTURE": "raw", "PYTHONUNBUFFERED": "1"}

    with running(
        command, {**foreign.variables, **settings}, tmp_path / "log", foreign.folder
    ) as server:

        def answer() -> Json:
            server.check_alive()
            return post(f"http://127.0.0.1:{port}/predict", {"instances": sent})

        answered = wait_for(answer, 30, "an answer")["predictions"]
    lines = (tmp_path / "log").read_text().splitlines()

    expected = Predictor.open(foreign.folder / "package").predict(sent)
    assert [(one["label"], one["score"]) for one in answered] == [
        (one.label, one.score) for one in expected
    ]
    end = keep(foreign.folder / "records", [one for one in lines if '"kind":"capture"' in one])
    judged = ["--records", "records", "--model", "package", "--until", end, "--out", "report.html"]
    printed = foreign.sklambda("monitor", "report", *judged)
    assert printed.endswith("\nreport.html\n")
    assert "20 predictions" in printed
    assert "<style>" in (foreign.folder / "report.html").read_text()


def post(address: str, body: Json) -> Json:
    headers = {"content-type": "application/json"}
    with urlopen(Request(address, json.dumps(body).encode(), headers), timeout=30) as response:
        found: Json = json.load(response)
    return found


def keep(folder: Path, lines: list[str]) -> str:
    """Write captured lines where the stack's bucket has them; return the end of their hour."""
    hour = layout.whole_hour(datetime.fromisoformat(json.loads(lines[0])["time"]))
    path = folder / layout.captures_prefix(hour) / "one.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    return (hour + timedelta(hours=1)).isoformat()


def test_a_file_is_scored_and_its_receipt_checked(foreign: Installed) -> None:
    printed = foreign.sklambda("score", "mine.csv", "--model", "package", "--out", "scored")
    receipt = json.loads(printed)

    with (foreign.folder / "scored" / receipt["scored"]["key"]).open(newline="") as file:
        scored = list(csv.DictReader(file))
    expected = Predictor.open(foreign.folder / "package").predict(rows(foreign, 400))
    assert [(row["label"], float(row["score"])) for row in scored] == [
        (one.label, one.score) for one in expected
    ]
    checked = foreign.sklambda("receipt", f"scored/jobs/{receipt['job']}.json")
    assert "as they were written" in checked
