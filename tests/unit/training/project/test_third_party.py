"""Layers of third-party packages are built once for all models of a repository."""

from pathlib import Path

import pytest

from tests.unit.training.project.conftest import TEMPLATE, MakeApplication
from training.errors import ToolFailed
from training.project import third_party
from training.project.application import Application, installed
from training.project.layout import lay_out
from training.project.repository import Model
from training.project.tools import Tools

TOOLS = Tools(("/usr/bin", "/bin"), "x86_64")


def test_the_layers_of_the_template_with_locked_requirements_are_shared() -> None:
    found = third_party.layers(installed(), "x86_64")

    assert [(layer.resource, layer.source) for layer in found] == [
        ("RuntimeLayer", "layers/runtime"),
        ("TokensLayer", "layers/tokens"),
        ("TablesLayer", "layers/tables"),
    ]


def test_all_else_of_the_template_stays(application: Application) -> None:
    [layer] = found = third_party.layers(application, "x86_64")
    lines = TEMPLATE.splitlines()

    shared = third_party.shared(TEMPLATE, found).splitlines()

    assert [line for line in lines if line not in shared] == ["      ContentUri: layers/runtime"]
    assert [line for line in shared if line not in lines] == [
        f"      ContentUri: ../layers/{layer.name}"
    ]
    assert len(shared) == len(lines) - 2


def test_a_layer_that_the_user_wrote_otherwise_is_left_to_sam(
    application_factory: MakeApplication,
) -> None:
    template = TEMPLATE.replace("BuildMethod: makefile", "BuildMethod: python3.13")
    application = application_factory("1.0", {"template.yaml": template})

    found = third_party.layers(application, "x86_64")

    assert found == []
    assert third_party.shared(template, found) == template


def test_processor_and_sources_make_the_folder(
    application: Application, application_factory: MakeApplication
) -> None:
    other = application_factory("2.0", {"layers/runtime/requirements.txt": "numpy\npolars\n"})

    names = {
        third_party.layers(one, processor)[0].name
        for one in (application, other)
        for processor in ("x86_64", "arm64")
    }

    assert len(names) == 4


def test_a_layer_is_built_once(model: Model, application: Application) -> None:
    [layer] = found = third_party.layers(application, "x86_64")
    assert third_party.absent(model.root, found) == found

    third_party.build(model.root, layer, TOOLS)

    assert third_party.absent(model.root, found) == []
    folder = model.root / ".sklambda/layers"
    assert [path.name for path in folder.iterdir()] == [layer.name]
    assert (folder / layer.name / "built").read_text() == "x86_64\n"


def test_a_layer_that_fails_says_what_make_said_and_leaves_nothing(
    model: Model, application_factory: MakeApplication
) -> None:
    makefile = "build-RuntimeLayer:\n\t@echo no such wheel >&2; exit 3\n"
    broken = application_factory("1.0", {"layers/runtime/Makefile": makefile})
    [layer] = third_party.layers(broken, "x86_64")

    with pytest.raises(ToolFailed, match=r"(?s)`make build-RuntimeLayer`.*no such wheel"):
        third_party.build(model.root, layer, TOOLS)

    assert list((model.root / ".sklambda/layers").iterdir()) == []


def test_layers_that_no_template_names_are_removed(
    model: Model, application: Application, application_factory: MakeApplication
) -> None:
    other = application_factory("2.0", {"layers/runtime/requirements.txt": "polars\n"})
    for one in (application, other):
        [layer] = third_party.layers(one, "x86_64")
        third_party.build(model.root, layer, TOOLS)
        lay_out(model, one, "x86_64")

    third_party.remove_unused(model.root)

    assert names(model.root) == [third_party.layers(other, "x86_64")[0].name]


def names(root: Path) -> list[str]:
    return [path.name for path in (root / ".sklambda/layers").iterdir()]
