"""An upgrade says what changes, stops before data is lost, and raises the version last."""

import shutil
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from tests.unit.training.project.conftest import FILES, TEMPLATE, MakeApplication
from training.errors import ConfigurationError, MergeConflict, UpgradeStopped
from training.project.application import Application, walk
from training.project.eject import eject
from training.project.layout import laid_out_version, lay_out
from training.project.repository import Model, Repository
from training.project.upgrade import upgrade

HANDLER = "functions/predict/handler.py"
OLD = FILES[HANDLER]
PARAMETERS = """\
Parameters:
  LogLevel:
    Default: WARNING
  Shiny:
    Default: "on"
  Needed:
    Type: String
"""
CHANGED = PARAMETERS + TEMPLATE.partition("Default: INFO\n")[2]
RENAMED = TEMPLATE.replace("  Data:", "  Store:")

type Upgrade = Callable[..., list[str]]


@pytest.fixture
def raised(repository: Repository) -> Upgrade:
    """Upgrades the repository, and gives the lines that were shown."""

    def run(
        new: Application, source: Path | None = None, accepted: Collection[str] = ()
    ) -> list[str]:
        lines: list[str] = []
        upgrade(repository, new, source, accepted, lines.append)
        return lines

    return run


@pytest.fixture
def before(repository: Repository, trained: Model, application: Application) -> Model:
    """The model, laid out from version 1.0, which the repository requires."""
    repository.require_version("1.0")
    lay_out(trained, application, "arm64")
    return trained


def files(repository: Repository) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in walk(repository.root)}


def test_the_requirement_and_what_is_laid_out_become_the_new_version(
    repository: Repository, before: Model, application_factory: MakeApplication, raised: Upgrade
) -> None:
    lines = raised(application_factory("2.0", {HANDLER: "new"}))

    assert repository.required_version() == "2.0"
    assert laid_out_version(before) == "2.0"
    assert (before.laid_out / HANDLER).read_text() == "new"
    assert "-arm64-" in (before.laid_out / "template.yaml").read_text()
    assert lines == ["models/churn/package is verified"]


def test_changed_parameters_are_shown(
    repository: Repository, before: Model, application_factory: MakeApplication, raised: Upgrade
) -> None:
    lines = raised(application_factory("2.0", {"template.yaml": CHANGED}))

    assert lines[:3] == [
        "Parameter Shiny is new: default 'on'",
        "Parameter Needed is new: must be set in samconfig.toml",
        "Parameter LogLevel has another default: 'WARNING', was 'INFO'",
    ]


def test_a_removed_parameter_that_a_stage_sets_is_shown_with_the_stage(
    before: Model, application_factory: MakeApplication, raised: Upgrade
) -> None:
    gone = TEMPLATE.replace("  LogLevel:", "  Other:")

    lines = raised(application_factory("2.0", {"template.yaml": gone}))

    [line] = [line for line in lines if line.startswith("Parameter LogLevel is removed")]
    assert line.endswith("samconfig.toml sets it in [staging], [prod]: remove it there")


def test_a_renamed_bucket_stops_before_anything_is_written(
    repository: Repository, before: Model, application_factory: MakeApplication, raised: Upgrade
) -> None:
    untouched = files(repository)

    with pytest.raises(UpgradeStopped, match=r"(?s)Data .*renamed to Store.*--accept Data") as stop:
        raised(application_factory("2.0", {"template.yaml": RENAMED}))

    assert stop.value.exit_code == 6
    assert files(repository) == untouched


def test_a_loss_that_is_accepted_does_not_stop(
    repository: Repository, before: Model, application_factory: MakeApplication, raised: Upgrade
) -> None:
    raised(application_factory("2.0", {"template.yaml": RENAMED}), accepted=["Data"])

    assert repository.required_version() == "2.0"


def test_a_package_that_the_new_reader_refuses_stops_before_anything_is_written(
    repository: Repository, before: Model, application_factory: MakeApplication, raised: Upgrade
) -> None:
    (before.package / "model.onnx").write_bytes(b"damaged")
    untouched = files(repository)

    with pytest.raises(
        ConfigurationError, match=r"(?s)models/churn/package: .*nothing was changed"
    ):
        raised(application_factory("2.0"))

    assert files(repository) == untouched


def test_a_model_that_was_not_trained_is_said(
    repository: Repository, application_factory: MakeApplication, raised: Upgrade
) -> None:
    repository.require_version("2.0")

    lines = raised(application_factory("2.0"))

    assert lines == ["models/churn/package is absent: not verified"]


def test_edits_below_sklambda_stop(
    repository: Repository, before: Model, application_factory: MakeApplication, raised: Upgrade
) -> None:
    (before.laid_out / HANDLER).write_text("mine")

    with pytest.raises(ConfigurationError, match="edited by hand"):
        raised(application_factory("2.0"))

    assert repository.required_version() == "1.0"


def test_the_version_before_may_be_named(
    repository: Repository,
    before: Model,
    application: Application,
    application_factory: MakeApplication,
    raised: Upgrade,
) -> None:
    shutil.rmtree(before.laid_out)
    checkout = Path(application.files["template.yaml"]).parent
    new = application_factory("2.0", {"template.yaml": RENAMED})

    with pytest.raises(UpgradeStopped, match="Data"):
        raised(new, source=checkout)


def test_without_a_pin_the_version_before_has_to_be_named(
    repository: Repository, before: Model, application_factory: MakeApplication, raised: Upgrade
) -> None:
    (repository.root / "requirements.txt").write_text("sklambda\n")

    with pytest.raises(ConfigurationError, match=r"pins no version.*--from WHEEL"):
        raised(application_factory("2.0"))


def test_a_version_that_pip_does_not_find_has_to_be_named(
    repository: Repository, trained: Model, application_factory: MakeApplication, raised: Upgrade
) -> None:
    repository.require_version("0.0.0.dev999")

    with pytest.raises(ConfigurationError, match=r"sklambda 0.0.0.dev999.*--from WHEEL"):
        raised(application_factory("2.0"))


@pytest.fixture
def ejected(repository: Repository, trained: Model, application: Application) -> Model:
    """The model with an application of its own, of version 1.0."""
    repository.require_version("1.0")
    eject(trained, application)
    return trained


def test_an_ejected_application_has_the_changes_of_both(
    repository: Repository, ejected: Model, application_factory: MakeApplication, raised: Upgrade
) -> None:
    (ejected.infra / HANDLER).write_text(OLD.replace("one = 1", "one = 11"))
    theirs = OLD.replace("five = 5", "five = 55")

    lines = raised(application_factory("2.0", {HANDLER: theirs}))

    merged = OLD.replace("one = 1", "one = 11").replace("five = 5", "five = 55")
    assert (ejected.infra / HANDLER).read_text() == merged
    assert (ejected.base / HANDLER).read_text() == theirs
    assert (ejected.base / "VERSION").read_text() == "2.0\n"
    assert f"infra/churn/{HANDLER} has your changes and those of 2.0" in lines
    assert repository.required_version() == "2.0"


def test_a_conflict_is_written_named_and_leaves_the_requirement(
    repository: Repository, ejected: Model, application_factory: MakeApplication, raised: Upgrade
) -> None:
    (ejected.infra / HANDLER).write_text(OLD.replace("one = 1", "one = 11"))
    new = application_factory("2.0", {HANDLER: OLD.replace("one = 1", "one = 111")})

    with pytest.raises(MergeConflict, match=rf"infra/churn/{HANDLER}: 1 conflict") as conflict:
        raised(new)

    assert conflict.value.exit_code == 7
    assert repository.required_version() == "1.0"
    with pytest.raises(MergeConflict, match="still hold conflict markers"):
        raised(new)
    (ejected.infra / HANDLER).write_text("resolved")
    raised(new)
    assert (ejected.infra / HANDLER).read_text() == "resolved"
    assert repository.required_version() == "2.0"


def test_a_bucket_of_an_ejected_template_is_looked_after(
    repository: Repository, ejected: Model, application_factory: MakeApplication, raised: Upgrade
) -> None:
    (ejected.infra / HANDLER).write_text(OLD.replace("one = 1", "one = 11"))
    untouched = files(repository)

    with pytest.raises(UpgradeStopped, match="Data"):
        raised(application_factory("2.0", {"template.yaml": RENAMED}))

    assert files(repository) == untouched


def test_a_resource_of_the_users_own_is_no_loss(
    ejected: Model, application_factory: MakeApplication, raised: Upgrade
) -> None:
    mine = TEMPLATE + "\n  Mine:\n    Type: AWS::S3::Bucket\n"
    (ejected.infra / "template.yaml").write_text(mine)

    raised(application_factory("2.0", {"template.yaml": CHANGED}))

    assert "  Mine:" in (ejected.infra / "template.yaml").read_text()
    assert "  Needed:" in (ejected.infra / "template.yaml").read_text()
