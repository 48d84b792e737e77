"""The model package: a directory that training writes and everything else reads.

What each file holds is in ``docs/package.md``. A package is whole or it is refused: every file is
checked against the manifest before anything is scored.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from sklambda.errors import DocumentInvalid, PackageRefused
from sklambda.manifest import FileDigest, GoldenRow, Manifest
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
    def open(cls, path: Path | str) -> Self:
        """Read a package and check every file of it.

        Raises
        ------
        PackageRefused
            The directory holds no package, or one that is damaged or too new.
        """
        path = Path(path)
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
