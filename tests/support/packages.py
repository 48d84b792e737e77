"""The facts of a package, to write another one like it."""

from sklambda.package import ModelPackage
from training.package_writer import Facts


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
