"""Reads the model package, a directory that `training` writes.

``docs/package.md`` describes each file. Every file is checked against the manifest before any row
is scored; a package with a damaged or missing file is refused.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from sklambda.errors import DocumentInvalid, PackageRefused
from sklambda.manifest import FileDigest, GoldenRow, Manifest
from sklambda.signature import Signature, Target

if TYPE_CHECKING:
    from sklambda.sketch.baseline import Baseline


FORMAT: Final = 1
"""The newest format that this code reads; training writes it."""

MANIFEST: Final = "manifest.json"
MODEL: Final = "model.onnx"
SIGNATURE: Final = "signature.json"
GOLDEN: Final = "golden.jsonl"
EXPLAINER: Final = "explainer.npz"
BASELINE: Final = "baseline.json"
ERROR_MODEL: Final = "error.onnx"
REQUIRED: Final = (MODEL, SIGNATURE, GOLDEN)


@dataclass(frozen=True, slots=True)
class ModelPackage:
    """A model package whose files were checked.

    Attributes
    ----------
    path : Path
        Its directory.
    manifest : Manifest
        Describes the package and its files.
    signature : Signature
        The features and the target.
    model : bytes
        The ONNX graph.
    golden : tuple of GoldenRow
        Rows with the scores and labels of scikit-learn.
    """

    path: Path
    manifest: Manifest
    signature: Signature
    model: bytes
    golden: tuple[GoldenRow, ...]

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Read a package and check its files.

        Raises
        ------
        PackageRefused
            The package is absent, damaged or too new, or its folder holds other files.
        """
        path = Path(path)
        manifest = _read_manifest(path)
        contents = {name: _read(path, name, manifest) for name in REQUIRED}
        if package_id(manifest.files) != manifest.id:
            raise PackageRefused(f"{path}: the package id does not match its files")
        _check_listing(path, manifest)
        signature = _parse(path, SIGNATURE, lambda: Signature.parse(contents[SIGNATURE]))
        return cls(
            path=path,
            manifest=manifest,
            signature=signature,
            model=contents[MODEL],
            golden=_parse(path, GOLDEN, lambda: _golden_rows(contents[GOLDEN], signature.target)),
        )

    @property
    def explainer(self) -> bytes | None:
        """The content of ``explainer.npz``, or None; read and checked at each access.

        Raises
        ------
        PackageRefused
            The file is damaged.
        """
        return self._optional(EXPLAINER)

    @property
    def baseline(self) -> "Baseline | None":
        """The content of ``baseline.json``, or None; read and checked at each access.

        Raises
        ------
        PackageRefused
            The file is damaged, or that of another model.
        """
        # Scoring needs no baseline: it does not pay for the import.
        from sklambda.sketch.baseline import Baseline

        content = self._optional(BASELINE)
        if content is None:
            return None
        return _parse(self.path, BASELINE, lambda: Baseline.read(content, self.signature))

    @property
    def error_model(self) -> bytes | None:
        """The graph of the error model of a regressor, or None; read like `explainer`.

        Raises
        ------
        PackageRefused
            The file is damaged.
        """
        return self._optional(ERROR_MODEL)

    def _optional(self, name: str) -> bytes | None:
        return _read(self.path, name, self.manifest) if name in self.manifest.files else None


def package_id(files: Mapping[str, FileDigest]) -> str:
    """Return the SHA-256 over the names and digests of the files of a package."""
    listing = "".join(f"{files[name].sha256}  {name}\n" for name in sorted(files))
    return sha256(listing.encode()).hexdigest()


def _read_manifest(path: Path) -> Manifest:
    document = _read_object(path)
    number = document.get("format")
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise PackageRefused(f"{path / MANIFEST}: format must be a whole number above 0")
    if number > FORMAT:
        raise PackageRefused(
            f"{path} has format {number}, this version reads up to {FORMAT}: upgrade sklambda"
        )
    return _parse(path, MANIFEST, lambda: Manifest.of(document))


def _read_object(path: Path) -> dict[str, Any]:
    try:
        document = json.loads((path / MANIFEST).read_bytes())
    except OSError as error:
        raise PackageRefused(f"{path} is no model package: {MANIFEST} cannot be read") from error
    except (ValueError, RecursionError) as error:
        raise PackageRefused(f"{path / MANIFEST} must be JSON") from error
    if not isinstance(document, dict):
        raise PackageRefused(f"{path / MANIFEST} must be a JSON object")
    return document


def _read(path: Path, name: str, manifest: Manifest) -> bytes:
    if name not in manifest.files:
        raise PackageRefused(f"{path / MANIFEST} does not list {name}")
    try:
        content = (path / name).read_bytes()
    except OSError as error:
        raise PackageRefused(f"{path / name} cannot be read") from error
    listed = manifest.files[name]
    if sha256(content).hexdigest() != listed.sha256:
        raise PackageRefused(f"{path / name} does not match its SHA-256 in the manifest")
    if len(content) != listed.bytes:
        raise PackageRefused(
            f"{path / name} has {len(content)} bytes, and {MANIFEST} lists {listed.bytes}"
        )
    return content


def _parse[T](path: Path, name: str, parse: Callable[[], T]) -> T:
    """Return what `parse` makes of a file; raises `PackageRefused` with its name."""
    try:
        return parse()
    except DocumentInvalid as error:
        raise PackageRefused(f"{path / name}: {error}") from error
    except (OverflowError, RecursionError) as error:
        raise PackageRefused(f"{path / name} has too deep or too large values") from error


def _check_listing(path: Path, manifest: Manifest) -> None:
    """Refuse files that the manifest does not list: no digest checks them."""
    found, listed = {each.name for each in path.iterdir()}, {MANIFEST, *manifest.files}
    if found - listed:
        name = min(found - listed)
        raise PackageRefused(f"{path / name} is not listed in {MANIFEST}: remove it")
    if listed - found:
        name = min(listed - found)
        raise PackageRefused(f"{path / name} is absent, and {MANIFEST} lists it")


def _golden_rows(content: bytes, target: Target) -> tuple[GoldenRow, ...]:
    labels = sum(bool(part.classes) for part in target.parts or (target,))
    rows = []
    for number, line in enumerate(content.splitlines(), 1):
        try:
            row = GoldenRow.parse(line)
        except DocumentInvalid as error:
            raise DocumentInvalid(f"line {number}: {error}") from error
        if (len(row.scores), len(row.labels)) != (target.width, labels):
            raise DocumentInvalid(
                f"line {number}: expected {target.width} scores and {labels} labels, "
                f"got {len(row.scores)} and {len(row.labels)}"
            )
        rows.append(row)
    return tuple(rows)
