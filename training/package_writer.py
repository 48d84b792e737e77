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
from sklambda.signature import Signature


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
    """Write a package, whole or not at all, and open it.

    A package at `path` is replaced, nothing else. `optional` holds files by
    name: `EXPLAINER`, `BASELINE`, `ERROR_MODEL` of `sklambda.package`.

    Raises
    ------
    PackageRefused
        `path` exists and is neither a model package nor empty.
    """
    require_replaceable(path)
    contents = {
        MODEL: model,
        SIGNATURE: _json(signature, indent=2),
        GOLDEN: b"".join(map(_golden_line, golden)),
        **optional,
    }
    manifest = _manifest(contents, signature, facts)
    contents[MANIFEST] = _json(manifest, indent=2)
    _publish(path, contents)
    return ModelPackage.open(path)


def require_replaceable(path: Path) -> None:
    """Raise `PackageRefused` if `path` exists and is neither a model package nor empty."""
    if path.is_dir() and ((path / MANIFEST).is_file() or not any(path.iterdir())):
        return
    if path.exists():
        raise PackageRefused(f"{path} exists and is not a model package; it was left as it is")


def _golden_line(row: GoldenRow) -> bytes:
    members = dict(vars(row))
    if row.tolerance is None:  # the usual one
        del members["tolerance"]
    return _json(members)


def _json(document: Document | Mapping[str, object], indent: int | None = None) -> bytes:
    return to_json(document, indent=indent, inf_nan_mode="null", fallback=vars) + b"\n"


def _manifest(contents: Mapping[str, bytes], signature: Signature, facts: Facts) -> Manifest:
    files = {
        name: FileDigest(sha256=sha256(content).hexdigest(), bytes=len(content))
        for name, content in sorted(contents.items())
    }
    return Manifest(
        format=FORMAT,
        id=package_id(files),
        name=facts.name,
        created=facts.created,
        task=signature.target.task,
        files=files,
        size=sum(file.bytes for file in files.values()),
        data_digest=facts.data_digest,
        code_digest=facts.code_digest,
        libraries=dict(facts.libraries),
        metrics=dict(facts.metrics),
        gates=dict(facts.gates),
        parity=facts.parity,
    )


def _publish(path: Path, contents: Mapping[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
        fresh, old = Path(folder, "fresh"), Path(folder, "old")
        fresh.mkdir()
        for name, content in contents.items():
            (fresh / name).write_bytes(content)
        if path.exists():
            path.rename(old)
        fresh.rename(path)
