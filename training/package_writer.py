"""Writes model packages; `sklambda.package` reads them."""

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from pydantic_core import to_json

from sklambda.document import Document
from sklambda.errors import PackageRefused
from sklambda.manifest import FileDigest, GoldenRow, Manifest, MetricInterval, ParityReport
from sklambda.package import (
    FORMAT,
    GOLDEN,
    MANIFEST,
    MODEL,
    SIGNATURE,
    ModelPackage,
    package_id,
)
from sklambda.signature import Feature, Signature, Target
from training.errors import ConversionRefused
from training.package_check import check

_LATER: Mapping[type[Document], tuple[str, ...]] = {
    Signature: ("ignored", "partial", "read"),
    Target: ("label_by",),
    Feature: ("gaps", "mostly_missing"),
    ParityReport: ("single_precision",),
    GoldenRow: ("tolerance",),
}
"""Members that older readers do not know and would refuse; written only where not the default."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The members of a manifest that are not computed from the files of the package."""

    name: str
    created: str
    libraries: Mapping[str, str]
    parity: ParityReport
    metrics: Mapping[str, MetricInterval]
    gates: Mapping[str, float]
    data_digest: str | None = None
    code_digest: str | None = None


def write(
    path: Path,
    model: bytes,
    signature: Signature,
    golden: Iterable[GoldenRow],
    facts: Facts,
    optional: Mapping[str, bytes] = MappingProxyType({}),
) -> ModelPackage:
    """Write a package, whole or not at all, once it opens and replays as written.

    A package at `path` is replaced, nothing else. `optional` holds files by
    name: `EXPLAINER`, `BASELINE`, `ERROR_MODEL` of `sklambda.package`.

    Returns
    -------
    ModelPackage
        As it was read back from `path`.

    Raises
    ------
    PackageRefused
        `path` exists and is neither a model package nor empty.
    ConversionRefused
        The written files cannot be served: they do not open, or a golden row is refused or has
        other scores. `path` is as it was before.
    """
    require_replaceable(path)
    _publish(path, contents(model, signature, golden, facts, optional))
    return ModelPackage.open(path)


def contents(
    model: bytes,
    signature: Signature,
    golden: Iterable[GoldenRow],
    facts: Facts,
    optional: Mapping[str, bytes] = MappingProxyType({}),
) -> dict[str, bytes]:
    """Return the contents of the files of a package by name; takes what `write` does."""
    files = {
        MODEL: model,
        SIGNATURE: _json(signature, indent=2),
        GOLDEN: b"".join(map(_json, golden)),
        **optional,
    }
    return {**files, MANIFEST: _json(_manifest(files, signature, facts), indent=2)}


def require_replaceable(path: Path) -> None:
    """Raise `PackageRefused` if `path` exists and is neither a model package nor empty."""
    if path.is_dir() and ((path / MANIFEST).is_file() or not any(path.iterdir())):
        return
    if path.exists():
        raise PackageRefused(f"{path} exists and is not a model package; it was left as it is")


def _stored(document: Document) -> dict[str, object]:
    members, kind = dict(vars(document)), type(document)
    for name in _LATER.get(kind, ()):
        if members[name] == getattr(kind, name):
            del members[name]
    return members


def _json(document: Document, indent: int | None = None) -> bytes:
    return to_json(document, indent=indent, inf_nan_mode="null", fallback=_stored) + b"\n"


def _manifest(files: Mapping[str, bytes], signature: Signature, facts: Facts) -> Manifest:
    digests = {
        name: FileDigest(sha256=sha256(content).hexdigest(), bytes=len(content))
        for name, content in sorted(files.items())
    }
    return Manifest(
        format=FORMAT,
        id=package_id(digests),
        name=facts.name,
        created=facts.created,
        task=signature.target.task,
        files=digests,
        size=sum(file.bytes for file in digests.values()),
        data_digest=facts.data_digest,
        code_digest=facts.code_digest,
        libraries=dict(facts.libraries),
        metrics=dict(facts.metrics),
        gates=dict(facts.gates),
        parity=facts.parity,
    )


def _publish(path: Path, files: Mapping[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
        fresh, old = Path(folder, "fresh"), Path(folder, "old")
        fresh.mkdir()
        for name, content in files.items():
            (fresh / name).write_bytes(content)
        _check(fresh, path)
        if path.exists():
            path.rename(old)
        try:
            fresh.rename(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise


def _check(fresh: Path, path: Path) -> None:
    """Raise `ConversionRefused` if the files in `fresh` cannot be served from `path`."""
    try:
        check(fresh)
    except PackageRefused as error:
        reason = str(error).replace(str(fresh), str(path))
        raise ConversionRefused("package", f"it could not be served: {reason}") from error
