"""The model package: a directory that training writes and everything else reads.

What each file holds is in ``docs/package.md``. A package is whole or it is refused: every file is
checked against the manifest before anything is scored.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

from sklambda.document import Document
from sklambda.errors import DocumentInvalid, PackageRefused
from sklambda.manifest import FileDigest, GoldenRow, Manifest, MetricInterval, ParityReport
from sklambda.signature import Signature

if TYPE_CHECKING:
    from sklambda.sketch.baseline import Baseline


FORMAT: Final = 1
"""The number of the format that this code writes, and the newest that it reads."""

MANIFEST: Final = "manifest.json"
MODEL: Final = "model.onnx"
SIGNATURE: Final = "signature.json"
GOLDEN: Final = "golden.jsonl"
EXPLAINER: Final = "explainer.npz"
BASELINE: Final = "baseline.json"
ERROR_MODEL: Final = "error.onnx"
REQUIRED: Final = (MODEL, SIGNATURE, GOLDEN)


@dataclass(frozen=True, slots=True)
class Facts:
    """What training knows of a package beside its files; the rest of the manifest is computed."""

    name: str
    created: str
    libraries: Mapping[str, str]
    parity: ParityReport
    metrics: Mapping[str, MetricInterval]
    gates: Mapping[str, float]
    data_digest: str | None = None
    code_digest: str | None = None


@dataclass(frozen=True, slots=True)
class ModelPackage:
    """A package that was checked.

    Attributes
    ----------
    path : Path
        Its directory.
    manifest : Manifest
        What it says about itself.
    signature : Signature
        The inputs and the answer.
    model : bytes
        The ONNX graph.
    golden : tuple of GoldenRow
        Rows with scikit-learn's own answers.
    """

    path: Path
    manifest: Manifest
    signature: Signature
    model: bytes
    golden: tuple[GoldenRow, ...]

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read a package and check every file of it.

        Raises
        ------
        PackageRefused
            The directory holds no package, or one that is damaged or too new.
        """
        manifest = _manifest(path)
        contents = {name: _checked(path, name, manifest) for name in REQUIRED}
        if package_id(manifest.files) != manifest.id:
            raise PackageRefused(f"{path}: the package id is not that of its files")
        return cls(
            path=path,
            manifest=manifest,
            signature=_parsed(path, SIGNATURE, Signature.parse, contents[SIGNATURE]),
            model=contents[MODEL],
            golden=_parsed(path, GOLDEN, _golden_rows, contents[GOLDEN]),
        )

    @property
    def explainer(self) -> bytes | None:
        """What explains the scores, or None; read and checked only when it is asked for.

        Raises
        ------
        PackageRefused
            The file is damaged.
        """
        return self._optional(EXPLAINER)

    @property
    def baseline(self) -> "Baseline | None":
        """What windows of predictions are compared with, or None; read when it is asked for.

        Raises
        ------
        PackageRefused
            The file is damaged, or that of another model.
        """
        # Who scores compares nothing, and does not wait for it to be imported.
        from sklambda.sketch.baseline import Baseline

        content = self._optional(BASELINE)
        if content is None:
            return None
        return _parsed(
            self.path, BASELINE, lambda read: Baseline.read(read, self.signature), content
        )

    @property
    def error_model(self) -> bytes | None:
        """The graph that predicts a regressor's absolute errors, or None; read like `explainer`.

        Raises
        ------
        PackageRefused
            The file is damaged.
        """
        return self._optional(ERROR_MODEL)

    def _optional(self, name: str) -> bytes | None:
        return _checked(self.path, name, self.manifest) if name in self.manifest.files else None

    @classmethod
    def write(
        cls,
        path: Path,
        model: bytes,
        signature: Signature,
        golden: Iterable[GoldenRow],
        facts: Facts,
        optional: Mapping[str, bytes] = MappingProxyType({}),
    ) -> Self:
        """Write a package, whole or not at all, and open it.

        A package that stands at `path` is replaced; nothing else ever is. `optional` holds files
        by name: `EXPLAINER`, `BASELINE`, `ERROR_MODEL`.

        Raises
        ------
        PackageRefused
            Something that is not a model package stands at `path`.
        """
        require_replaceable(path)
        contents = {
            MODEL: model,
            SIGNATURE: _json(signature, indent=2),
            GOLDEN: b"".join(map(_json, golden)),
            **optional,
        }
        manifest = _new_manifest(contents, signature, facts)
        contents[MANIFEST] = _json(manifest, indent=2)
        _publish(path, contents)
        return cls.open(path)


def require_replaceable(path: Path) -> None:
    """Raise `PackageRefused` if something stands at `path` that is not a model package."""
    if path.is_dir() and ((path / MANIFEST).is_file() or not any(path.iterdir())):
        return
    if path.exists():
        raise PackageRefused(f"{path} is there and is not a model package; it stays as it is")


def package_id(files: Mapping[str, FileDigest]) -> str:
    """SHA-256 over the names and digests of a package's files, in hexadecimal."""
    listing = "".join(f"{files[name].sha256}  {name}\n" for name in sorted(files))
    return sha256(listing.encode()).hexdigest()


def _manifest(path: Path) -> Manifest:
    document = _json_object(path)
    number = document.get("format")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise PackageRefused(f"{path / MANIFEST} names no format that there ever was")
    if number > FORMAT:
        raise PackageRefused(
            f"{path} has format {number}, and this sklambda reads up to {FORMAT}: upgrade sklambda"
        )
    try:
        return Manifest.of(document)
    except DocumentInvalid as error:
        raise PackageRefused(f"{path / MANIFEST}: {error}") from error


def _json_object(path: Path) -> dict[str, Any]:
    try:
        document = json.loads((path / MANIFEST).read_bytes())
    except OSError as error:
        raise PackageRefused(f"{path} holds no model package: no {MANIFEST} to read") from error
    except ValueError as error:
        raise PackageRefused(f"{path / MANIFEST} is not JSON") from error
    if not isinstance(document, dict):
        raise PackageRefused(f"{path / MANIFEST} is not a JSON object")
    return document


def _checked(path: Path, name: str, manifest: Manifest) -> bytes:
    if name not in manifest.files:
        raise PackageRefused(f"{path / MANIFEST} does not list {name}")
    try:
        content = (path / name).read_bytes()
    except OSError as error:
        raise PackageRefused(f"{path / name} cannot be read") from error
    if sha256(content).hexdigest() != manifest.files[name].sha256:
        raise PackageRefused(f"{path / name} is not the file that the manifest describes")
    return content


def _parsed[T](path: Path, name: str, parse: Callable[[bytes], T], content: bytes) -> T:
    try:
        return parse(content)
    except DocumentInvalid as error:
        raise PackageRefused(f"{path / name}: {error}") from error


def _golden_rows(content: bytes) -> tuple[GoldenRow, ...]:
    return tuple(GoldenRow.parse(line) for line in content.splitlines())


def _json(document: Document, indent: int | None = None) -> bytes:
    # Who only reads packages does not wait for it to be imported.
    from pydantic_core import to_json

    return to_json(document, indent=indent, inf_nan_mode="null", fallback=vars) + b"\n"


def _new_manifest(contents: Mapping[str, bytes], signature: Signature, facts: Facts) -> Manifest:
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
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as folder:
        fresh, old = Path(folder, "fresh"), Path(folder, "old")
        fresh.mkdir()
        for name, content in contents.items():
            (fresh / name).write_bytes(content)
        if path.exists():
            path.rename(old)
        fresh.rename(path)
