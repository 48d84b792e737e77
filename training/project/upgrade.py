"""From the version that a repository requires to the one that is installed."""

import subprocess
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from training.checks.verify import verify
from training.errors import ConfigurationError, MergeConflict, TrainingError, UpgradeStopped
from training.project import layout
from training.project.application import TEMPLATE, Application, in_folder, in_source
from training.project.eject import replace_base
from training.project.merge import Merge, merge
from training.project.repository import INFRA, REQUIREMENTS, Model, Repository
from training.project.template_changes import Changes, compare
from training.project.tools import python_with_pip

type Say = Callable[[str], None]
"""Shows a line while an upgrade is under way."""


@dataclass(frozen=True, slots=True)
class Ejected:
    """An ejected application, its base and what the new version would make of it."""

    model: Model
    mine: Application
    base: Application
    merge: Merge

    @property
    def where(self) -> str:
        """The user's folder, in the repository."""
        return f"{INFRA}/{self.model.name}"


def upgrade(
    repository: Repository,
    new: Application,
    source: Path | None,
    accepted: Collection[str],
    say: Say,
) -> str | None:
    """Raise the version of a repository to that of the application `new`.

    Nothing is written before all that may stop it has been looked at; the requirement is the last.

    Parameters
    ----------
    repository : Repository
        The user's.
    new : Application
        The installed one.
    source : Path or None
        A wheel or a checkout with the application of the version before; None looks for it.
    accepted : collection of str
        Logical ids of resources that may be lost.
    say : callable
        Shows a line.

    Returns
    -------
    str or None
        The version that was required before, where `requirements.txt` pins one.

    Raises
    ------
    UpgradeStopped
        The new template would delete or replace a resource that keeps data.
    MergeConflict
        An ejected file was changed on both sides; the merge is written, with git's markers.
    ConfigurationError
        A package cannot be read by this version, files below ``.sklambda`` were edited by hand,
        or the application of the version before is not to be found.
    """
    required = repository.required_version()
    models = [repository.model(model.name) for model in repository.models()]
    for model in models:
        layout.require_unedited(model)
    ejected = [_ejected(model, new) for model in models if model.infra.is_dir()]
    changes = [_changes_of(one, new) for one in ejected]
    if len(ejected) < len(models) or not models:
        with TemporaryDirectory() as folder:
            old = _old(repository, source, new, Path(folder))
            if old is None:
                say("The version before carries no application, so that there is none to compare.")
            else:
                changes.append(compare(old.template, new.template))
    for line in dict.fromkeys(_lines(repository, changes)):
        say(line)
    _stop_at_losses(changes, accepted, new)
    _verify(models, say)
    _write_merges(ejected, new, say)
    for model in models:
        layout.lay_out_again(model, new)
    if required is not None:
        repository.require_version(new.version)
    return required


def _ejected(model: Model, new: Application) -> Ejected:
    mine, base = (
        in_folder(folder, layout.ejected_version(model)) for folder in (model.infra, model.base)
    )
    if marked := layout.conflicts(mine):
        raise MergeConflict(
            f"{INFRA}/{model.name}: {', '.join(marked)} still hold conflict markers (<<<<<<<): "
            "resolve them, and run `sklambda upgrade` again"
        )
    return Ejected(model, mine, base, merge(mine, base, new))


def _changes_of(one: Ejected, new: Application) -> Changes:
    """Compare the user's template with the merged one, or where that is none, base and new."""
    if TEMPLATE in one.merge.conflicts:
        return compare(one.base.template, new.template)
    merged = one.merge.written.get(TEMPLATE)
    return compare(one.mine.template, one.mine.template if merged is None else merged.decode())


def _old(
    repository: Repository, source: Path | None, new: Application, folder: Path
) -> Application | None:
    """Return the application of the version before; None if that has none."""
    if source is not None:
        return in_source(source, folder)
    required = repository.required_version()
    if required is None:
        raise ConfigurationError(
            f"{REQUIREMENTS} pins no version of sklambda, as sklambda[training]==VERSION does: "
            "name the wheel of the version before with `--from WHEEL`"
        )
    for model in repository.models():
        if layout.laid_out_version(model) == required and not model.infra.is_dir():
            return in_folder(model.laid_out, required)
    return new if required == new.version else in_source(_downloaded(required, folder), folder)


def _downloaded(release: str, folder: Path) -> Path:
    """Have pip download a wheel, of which nothing is run."""
    options = ["--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(folder)]
    command = [str(python_with_pip()), "-m", "pip", "download", *options, f"sklambda=={release}"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("sklambda-*.whl"))
    if run.returncode != 0 or not wheels:
        reason = (run.stderr.strip().splitlines() or ["pip downloaded nothing"])[-1]
        raise ConfigurationError(
            f"the application of sklambda {release}, with which the new one is compared, is not "
            f"laid out here and was not downloaded ({reason}): name its wheel with `--from WHEEL`"
        )
    return wheels[0]


def _lines(repository: Repository, changes: Sequence[Changes]) -> Iterator[str]:
    for change in changes:
        for name, default in change.added.items():
            value = "must be set in samconfig.toml" if default is None else f"default {default!r}"
            yield f"Parameter {name} is new: {value}"
        for name in change.removed:
            sections = ", ".join(f"[{section}]" for section in repository.setting(name))
            remove = f"; samconfig.toml sets it in {sections}: remove it there" if sections else ""
            yield f"Parameter {name} is removed{remove}"
        for name, (old, new) in change.defaults.items():
            yield f"Parameter {name} has another default: {new!r}, was {old!r}"


def _stop_at_losses(
    changes: Sequence[Changes], accepted: Collection[str], new: Application
) -> None:
    found = {loss.name: loss for change in changes for loss in change.losses}
    left = [loss for name, loss in found.items() if name not in accepted]
    if left:
        lines = "\n".join(f"  {loss.name} {loss.reason}" for loss in left)
        accept = " ".join(f"--accept {loss.name}" for loss in left)
        raise UpgradeStopped(
            f"a deployment of sklambda {new.version} would lose data of stacks that are "
            f"deployed:\n{lines}\nKeep a copy and run `sklambda upgrade {accept}`, or install the "
            f"version before again with `pip install -r {REQUIREMENTS}`; nothing was changed"
        )


def _verify(models: Sequence[Model], say: Say) -> None:
    """Check every package with the reader of this version."""
    faults = []
    for model in models:
        package = model.package.relative_to(model.root)
        if not model.package.is_dir():
            say(f"{package} is absent: not verified")
            continue
        try:
            verify(model.package)
        except TrainingError as error:
            faults.append(f"{package}: {error}")
        else:
            say(f"{package} is verified")
    if faults:
        raise ConfigurationError(
            "\n".join([*faults, "Train again with this version; nothing was changed"])
        )


def _write_merges(ejected: Sequence[Ejected], new: Application, say: Say) -> None:
    conflicts = []
    for one in ejected:
        one.merge.write(one.model.infra)
        replace_base(one.model, new)
        for name in one.merge.merged:
            say(f"{one.where}/{name} has your changes and those of {new.version}")
        say(
            f"{one.where}: {len(one.merge.written)} files written, {len(one.merge.removed)} removed"
        )
        conflicts += [f"  {one.where}/{name}: {why}" for name, why in one.merge.conflicts.items()]
    if conflicts:
        lines = "\n".join(conflicts)
        raise MergeConflict(
            f"you and sklambda {new.version} changed the same places:\n{lines}\n"
            "Resolve them, and run `sklambda upgrade` again"
        )
