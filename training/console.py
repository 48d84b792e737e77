"""The terminal's output: progress, the closing tables, and errors."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from shlex import quote
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from training.checks.lambda_size import used
from training.errors import ConfigurationError, TrainingError

if TYPE_CHECKING:
    from sklambda.manifest import MetricInterval, ParityReport
    from sklambda.storage.receipt import Receipt
    from training.checks.replay import Step
    from training.checks.verify import Verdict
    from training.data.findings import Finding
    from training.init.create import Project
    from training.train.run import Outcome, Progress
    from training.train.trial import Trial


_CLASSES = 10
_LABELS = {
    "read": "Reading",
    "fit": "Fitting",
    "evaluate": "Evaluating",
    "convert": "Converting",
    "prove": "Proving",
    "write": "Writing",
}


@contextmanager
def progress(console: Console) -> "Iterator[Progress]":
    """Show a bar for each stage, or a line for each where there is no terminal."""
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = [TextColumn("{task.description:11}"), BarColumn(), MofNCompleteColumn()]
    with Bars(*columns, TimeElapsedColumn(), console=console) as bars:
        tasks = {stage: bars.add_task(_LABELS[stage], total=None, start=False) for stage in _LABELS}

        def show(stage: str, done: int, total: int) -> None:
            bars.start_task(tasks[stage])
            bars.update(tasks[stage], completed=done, total=total or None)

        yield show


def _lines(console: Console) -> "Progress":
    started = monotonic()

    def show(stage: str, done: int, total: int) -> None:
        if done == total > 0:
            console.print(f"{_LABELS[stage]:11}done at {monotonic() - started:5.1f} s")

    return show


def outcome(console: Console, result: "Outcome") -> None:
    """Show the result of a run."""
    manifest, table = result.package.manifest, _pairs()
    table.add_row("Package", Text(manifest.id))
    table.add_row("Path", Text(str(result.package.path)))
    table.add_row("Read", Text(result.source))
    table.add_row("Rows", f"{result.trained} trained on, {result.held_out} held out")
    signature = result.package.signature
    table.add_row("Features", str(len(signature.features)))
    if signature.ignored:
        table.add_row("Never read", Text(", ".join(signature.ignored)))
    if result.classes:
        shown = [f"{label} {count:,}" for label, count in [*result.classes.items()][:_CLASSES]]
        more = len(result.classes) - len(shown)
        table.add_row("Classes", Text(", ".join([*shown, *([f"{more} more"] if more else [])])))
    for name, metric in manifest.metrics.items():
        gate = f"  gate {manifest.gates[name]:g} passed" if name in manifest.gates else ""
        table.add_row(name, _measured(metric) + gate)
    table.add_row("Parity", _compared(manifest.parity))
    table.add_row("Size", f"{manifest.size / 1024:.0f} KiB, {used(manifest.size)}")
    console.print(table)


def worth_a_look(console: Console, findings: "Sequence[Finding]") -> None:
    """Show what is worth a look in the data, a line each; nothing without any."""
    if not findings:
        return
    console.print("Worth a look", style="bold yellow", highlight=False)
    for finding in findings:
        console.print(f"- {finding}", markup=False, highlight=False, soft_wrap=True)


def _pairs() -> Table:
    """Return an empty table of names and what they are."""
    table = Table(show_header=False, title=None)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    return table


def _compared(parity: "ParityReport") -> str:
    compared, worst = sum(parity.rows.values()), parity.max_difference
    parts = [f"{compared} rows as scikit-learn", f"greatest difference {worst:.1e}"]
    if parity.widened:
        parts.append(f"{parity.widened} within the rounding of large terms")
    if parity.undecidable:
        parts.append(f"{parity.undecidable} labels within rounding of a tie")
    return ", ".join(parts)


def created(console: Console, project: "Project", source: str) -> None:
    """Show what a look at the data found, what was written, and the next commands."""
    plan, table = project.plan, _pairs()
    roles, folder = plan.roles, project.folder
    table.add_row("Read", Text(f"{project.source}, {plan.rows:,} rows"))
    table.add_row("Target", Text(f"{plan.target}: {plan.learning}, {plan.why}"))
    for name in ("numbers", "categories", "booleans", "dates", "texts"):
        if columns := getattr(roles, name):
            table.add_row(name.capitalize(), Text(_few(columns)))
    if roles.row_id is not None:
        table.add_row("Row id", Text(roles.row_id))
    if roles.dropped:
        table.add_row("Left out", Text(_few([*roles.dropped])))
    table.add_row("Written", Text(", ".join(project.written)))
    console.print(table)
    worth_a_look(console, project.findings)
    config, package, scored = (
        quote(str(folder / name)) for name in ("train.toml", "package", "scored")
    )
    commands = [
        f"train {config} --out {package}",
        f"serve {package}",
        f"score {quote(source)} --model {package} --out {scored}",
    ]
    lines = "\n".join(f"  sklambda {command}" for command in commands)
    console.print(f"Next:\n{lines}", markup=False, highlight=False, soft_wrap=True)


def _few(names: "Sequence[str]") -> str:
    more = f" and {len(names) - _CLASSES} more" if len(names) > _CLASSES else ""
    return ", ".join(names[:_CLASSES]) + more


def verdict(console: Console, found: "Verdict") -> None:
    """Show the result of a verification."""
    manifest, table = found.package.manifest, _pairs()
    table.add_row("Package", Text(manifest.id))
    table.add_row("Files", f"{len(manifest.files)} as the manifest describes them")
    table.add_row("Golden rows", f"{len(found.package.golden)} with scikit-learn's scores")
    if found.accepted or found.refused:
        table.add_row("Data", f"{found.accepted} rows accepted")
    for (feature, code), count in found.refused.most_common():
        table.add_row(Text(feature), f"{code} in {count} rows")
    console.print(table)


def tried(console: Console, trial: "Trial") -> None:
    """Show a trial export that passed."""
    signature, table = trial.signature, _pairs()
    table.add_row("Steps", Text(", ".join(trial.steps)))
    table.add_row("Features", str(len(signature.features)))
    table.add_row("Answers", f"{signature.target.task}, {signature.target.scores}")
    table.add_row("Rows", f"{trial.rows} of the data")
    table.add_row("Parity", _compared(trial.parity))
    console.print(table)
    console.print(
        "Every step converts. An export proves it on all rows, and at many more boundaries."
    )


def checked(console: Console, receipt: "Receipt") -> None:
    """Show a receipt that its files match."""
    table = _pairs()
    table.add_row("Job", f"{receipt.job}: {receipt.status}")
    table.add_row("Input", Text(receipt.input.address))
    table.add_row("Package", Text(receipt.model.id))
    if receipt.reason is not None:
        table.add_row("Reason", Text(receipt.reason.detail))
    if (rows := receipt.rows) is not None:
        table.add_row("Rows", f"{rows.read} read = {rows.scored} scored + {rows.rejected} rejected")
    for file in (receipt.scored, receipt.rejects):
        if file is not None:
            table.add_row(Text(file.key), f"{file.bytes} bytes, as they were written")
    console.print(table)


def replayed(console: Console, steps: "Sequence[Step]") -> None:
    """Show the windows with a reason for retraining, and the policy's decisions."""
    table = Table("Window until", "Predictions", "Outcomes", "For it", "Decision")
    for step in steps:
        if step.reasons:
            held = f"held: {'; '.join(step.decision.held)}"
            table.add_row(
                step.signals.stop,
                str(step.rows),
                str(step.signals.labels),
                Text("; ".join(step.reasons)),
                Text("retrain" if step.decision.retrain else held),
            )
    if table.rows:
        console.print(table)
    spoken = sum(bool(step.reasons) for step in steps)
    called = sum(bool(step.decision.retrain) for step in steps)
    summary = f"{len(steps)} windows, a reason in {spoken}, retraining recommended in {called}"
    console.print(summary, highlight=False)


def run(app: Callable[..., object], arguments: Sequence[str] | None, prog: str) -> None:
    """Run a command line; an error that its user can act on ends it without a stack trace."""
    try:
        app(args=arguments, prog_name=prog)
    except TrainingError as error:
        stopped(Console(stderr=True), error)
        raise SystemExit(error.exit_code) from None
    except OSError as error:
        if error.filename is None:
            raise
        unusable = ConfigurationError(f"{error.filename}: {error.strerror}; choose another path")
        stopped(Console(stderr=True), unusable)
        raise SystemExit(unusable.exit_code) from None


def stopped(console: Console, error: TrainingError) -> None:
    """Show the error of a run: in a frame on a terminal, else in one line."""
    title = f"{type(error).__name__}, exit code {error.exit_code}"
    if console.is_terminal:
        console.print(Panel(Text(str(error)), title=title, title_align="left", border_style="red"))
    else:
        console.print(f"{title}: {error}", markup=False, highlight=False, soft_wrap=True)


def _measured(metric: "MetricInterval") -> str:
    return f"{metric.value:.4f}  ({metric.low:.4f} to {metric.high:.4f})"
