"""The user's copy of the application, its base and a new version, merged file by file."""

import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from training.errors import ToolFailed
from training.project.application import Application
from training.project.tools import require

_MOST_CONFLICTS = 127
"""`git merge-file` ends with the number of conflicts, up to this one; above are errors."""


@dataclass(slots=True)
class Merge:
    """What a merge would make of the user's files; nothing is written yet.

    Attributes
    ----------
    written : dict of str to bytes
        New contents of files by name.
    removed : list of str
        Files that the new version no longer has, and the user did not change.
    merged : list of str
        Files that both sides changed, in different places.
    conflicts : dict of str to str
        Files that both sides changed in one place, with the reason. Their contents, if any, have
        git's markers.
    """

    written: dict[str, bytes] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    conflicts: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write the merge into the user's folder."""
        for name, content in self.written.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        for name in self.removed:
            (folder / name).unlink()


def merge(mine: Application, base: Application, new: Application) -> Merge:
    """Merge what changed between two versions into the user's files.

    Raises
    ------
    ConfigurationError
        git is not on the path.
    """
    result = Merge()
    with tempfile.TemporaryDirectory() as folder:
        for name in sorted(base.files.keys() | new.files.keys()):
            _merge_file(result, name, _Sides(mine, base, new, Path(folder)))
    return result


@dataclass(frozen=True, slots=True)
class _Sides:
    mine: Application
    base: Application
    new: Application
    folder: Path

    def contents(self, name: str) -> tuple[bytes | None, bytes | None, bytes | None]:
        """Return a file of the user, of the base and of the new version; None is absent."""
        ours, before, theirs = (
            application.files.get(name) for application in (self.mine, self.base, self.new)
        )
        return _read(ours), _read(before), _read(theirs)

    def merged(self, name: str) -> tuple[bytes, int]:
        """Return the merge of a file, and the number of its conflicts."""
        files = list(self._copies(name))
        labels = ("yours", f"sklambda {self.base.version}", f"sklambda {self.new.version}")
        command = [require("git"), "merge-file", "--stdout"]
        for label in labels:
            command += ["-L", label]
        run = subprocess.run([*command, *map(str, files)], capture_output=True, check=False)
        if run.returncode > _MOST_CONFLICTS:
            reason = run.stderr.decode(errors="replace").strip()
            raise ToolFailed(f"{name}: `git merge-file` ended with an error: {reason}")
        return run.stdout, run.returncode

    def _copies(self, name: str) -> Iterator[Path]:
        for side, content in zip(("mine", "base", "new"), self.contents(name), strict=True):
            path = self.folder / side
            path.write_bytes(content or b"")
            yield path


def _merge_file(result: Merge, name: str, sides: _Sides) -> None:
    mine, base, new = sides.contents(name)
    if base == new or mine == new:
        return
    if mine == base:
        if new is None:
            result.removed.append(name)
        else:
            result.written[name] = new
    elif mine is None:
        result.conflicts[name] = "you removed it, and the new version changed it; it stays away"
    elif new is None:
        result.conflicts[name] = "you changed it, and the new version removed it; yours stays"
    else:
        content, count = sides.merged(name)
        result.written[name] = content
        if count:
            result.conflicts[name] = f"{count} conflict{'s' if count > 1 else ''}, marked in it"
        else:
            result.merged.append(name)


def _read(path: Path | None) -> bytes | None:
    return None if path is None else path.read_bytes()
