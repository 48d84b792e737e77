"""What a repository says of its models, its version and its stages; and what is refused."""

from pathlib import Path

import pytest

from training.errors import ConfigurationError
from training.project.repository import Repository

SECTION = "[{0}.deploy.parameters]\nparameter_overrides = {1}\n"


def test_a_folder_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no models and no samconfig.toml.*sklambda new"):
        Repository(tmp_path)


def test_a_model_that_is_absent_is_refused_with_the_nearest(repository: Repository) -> None:
    with pytest.raises(ConfigurationError, match=r"models/chrun is absent.*mean `churn`"):
        repository.model("chrun")


@pytest.mark.parametrize("name", ["german_credit", "7th", "a b", "layers", "x" * 101])
def test_a_folder_that_cannot_name_a_stack_is_refused(repository: Repository, name: str) -> None:
    (repository.root / "models" / name).mkdir()

    with pytest.raises(ConfigurationError, match="rename the folder"):
        repository.model(name)


def test_a_name_that_leads_out_of_models_is_no_model(repository: Repository) -> None:
    with pytest.raises(ConfigurationError, match="is absent"):
        repository.model("../models/churn")


def test_models_are_folders_that_are_not_hidden(repository: Repository) -> None:
    (repository.root / "models/.cache").mkdir()
    (repository.root / "models/notes.txt").write_text("")

    assert [model.name for model in repository.models()] == ["churn"]


@pytest.mark.parametrize(
    ("line", "version", "raised"),
    [
        ("sklambda[training]==1.0", "1.0", "sklambda[training]==2.0"),
        ("sklambda==1.0", "1.0", "sklambda==2.0"),
        (
            "sklambda [training,lightgbm] == 1.0 ; python_version > '3' # ours",
            "1.0",
            "sklambda [training,lightgbm] == 2.0 ; python_version > '3' # ours",
        ),
        (
            "./wheels/sklambda-1.0-py3-none-any.whl[training]",
            "1.0",
            "./wheels/sklambda-2.0-py3-none-any.whl[training]",
        ),
        (
            "sklambda[training] @ file:///a/sklambda-1.0.dev1-py3-none-any.whl",
            "1.0.dev1",
            "sklambda[training] @ file:///a/sklambda-2.0-py3-none-any.whl",
        ),
        ("sklambda[training]>=1.0", None, "sklambda[training]>=1.0"),
        ("sklambda-plugin==1.0", None, "sklambda-plugin==1.0"),
        ("# sklambda==1.0", None, "# sklambda==1.0"),
    ],
)
def test_the_pinned_version_alone_is_replaced(
    repository: Repository, line: str, version: str | None, raised: str
) -> None:
    path = repository.root / "requirements.txt"
    path.write_bytes(f"pandas\r\n{line}\r\nrich==1.0\r\n".encode())

    found = repository.required_version()
    repository.require_version("2.0")

    assert found == version
    assert path.read_bytes() == f"pandas\r\n{raised}\r\nrich==1.0\r\n".encode()


def test_a_pin_with_hashes_is_read_and_not_rewritten(repository: Repository) -> None:
    path = repository.root / "requirements.txt"
    path.write_text("sklambda[training]==1.0 \\\n    --hash=sha256:00\n")
    text = path.read_text()

    with pytest.raises(ConfigurationError, match=r"has hashes of sklambda 1.0: lock it again"):
        repository.require_version("2.0")
    repository.require_version("1.0")

    assert repository.required_version() == "1.0"
    assert path.read_text() == text


def test_a_repository_without_requirements_requires_no_version(repository: Repository) -> None:
    (repository.root / "requirements.txt").unlink()

    assert repository.required_version() is None


def configure(repository: Repository, text: str) -> None:
    (repository.root / "samconfig.toml").write_text(text)


def test_a_section_of_the_model_takes_the_place_of_the_stage(repository: Repository) -> None:
    configure(repository, SECTION.format("prod", '""') + SECTION.format("churn-prod", '""'))

    assert repository.environment("churn", "prod") == "churn-prod"
    assert repository.environment("other", "prod") == "prod"


def test_a_stage_that_is_absent_is_refused_with_the_nearest(repository: Repository) -> None:
    with pytest.raises(ConfigurationError, match=r"no \[stagign.*staging, prod.*mean `staging`"):
        repository.environment("churn", "stagign")


def test_the_stack_is_model_and_stage(repository: Repository) -> None:
    assert repository.stack("churn", "prod") == "churn-prod"


def test_a_model_may_keep_the_name_of_a_stack_that_is_there(repository: Repository) -> None:
    section = '[churn-prod.deploy.parameters]\nstack_name = "sklambda-prod"\n'
    configure(repository, SECTION.format("prod", '""') + section)

    assert repository.stack("churn", "prod") == "sklambda-prod"


def test_a_stack_for_all_models_is_refused_where_there_are_several(repository: Repository) -> None:
    configure(repository, '[prod.global.parameters]\nstack_name = "all"\n')
    alone = repository.stack("churn", "prod")
    (repository.root / "models/second").mkdir()

    with pytest.raises(ConfigurationError, match=r"\[prod\] sets stack_name"):
        repository.stack("churn", "prod")

    assert alone == "all"


@pytest.mark.parametrize(
    "overrides",
    [
        '"LogLevel=INFO Architecture=arm64"',
        "'Architecture=\"arm64\"'",
        '["LogLevel=INFO", "Architecture=arm64"]',
    ],
)
def test_the_architecture_is_that_of_the_stage(repository: Repository, overrides: str) -> None:
    configure(repository, SECTION.format("prod", overrides) + SECTION.format("staging", '""'))

    assert repository.architecture("prod") == "arm64"
    assert repository.architecture("staging") == "x86_64"


def test_an_architecture_that_lambda_lacks_is_refused(repository: Repository) -> None:
    configure(repository, SECTION.format("prod", '"Architecture=aarch64"'))

    with pytest.raises(ConfigurationError, match=r"\[prod.*Architecture=aarch64, expected x86_64"):
        repository.architecture("prod")


def test_the_sections_that_set_a_parameter_are_found(repository: Repository) -> None:
    configure(repository, SECTION.format("a", '"X=1 Y=2"') + SECTION.format("b", '["Y=3"]'))

    assert (repository.setting("X"), repository.setting("Y")) == (["a"], ["a", "b"])


def test_a_samconfig_that_is_not_toml_is_refused(repository: Repository) -> None:
    configure(repository, "[prod")

    with pytest.raises(ConfigurationError, match="is not TOML"):
        repository.environment("churn", "prod")


@pytest.mark.parametrize(
    "text", ["prod = 3", "[prod]\ndeploy = 3", "[prod.deploy]\nparameters = 3"]
)
def test_a_section_of_another_shape_is_no_stage_or_an_empty_one(
    repository: Repository, text: str
) -> None:
    configure(repository, text)

    assert repository.architecture("prod") == "x86_64"
    assert repository.setting("LogLevel") == []


def test_an_open_quotation_mark_is_refused(repository: Repository) -> None:
    configure(repository, SECTION.format("prod", "'Redact=\"age'"))

    with pytest.raises(ConfigurationError, match="is not closed"):
        repository.architecture("prod")
