"""The facts of a package, to write another one like it, and packages that training refuses."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from sklambda.manifest import GoldenRow
from sklambda.package import BASELINE, ERROR_MODEL, EXPLAINER, ModelPackage
from training.package_writer import Facts, contents


def forge(
    whole: ModelPackage,
    path: Path,
    golden: Iterable[GoldenRow] | None = None,
    optional: Mapping[str, bytes] | None = None,
    name: str | None = None,
) -> Path:
    """Write a package like another one with other rows, files or name, without opening it."""
    kept = {
        name: (whole.path / name).read_bytes()
        for name in (BASELINE, ERROR_MODEL, EXPLAINER)
        if name in whole.manifest.files
    }
    files = contents(
        whole.model,
        whole.signature,
        whole.golden if golden is None else golden,
        replace(facts(whole), name=name or whole.manifest.name),
        kept | dict(optional or {}),
    )
    path.mkdir(parents=True)
    for file, content in files.items():
        (path / file).write_bytes(content)
    return path


def facts(package: ModelPackage) -> Facts:
    manifest = package.manifest
    return Facts(
        name=manifest.name,
        created=manifest.created,
        libraries=manifest.libraries,
        parity=manifest.parity,
        metrics=manifest.metrics,
        gates=manifest.gates,
    )
