"""Scores a local file, as the function would: ``python -m functions.batch customers.csv``."""

import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from functions.batch.jobs import fit, opening
from functions.batch.jobs.context import Context
from functions.batch.jobs.job import Part
from functions.batch.jobs.options import Options, describe_invalid
from functions.batch.jobs.run import run
from sklambda.errors import InputRefused, PackageRefused, SklambdaError
from sklambda.predictor import Predictor
from sklambda.storage import Directory, Storage
from sklambda.storage.receipt import Receipt

_FORMATS = ("csv", "json_lines", "parquet")


def main(arguments: Sequence[str] | None = None, prog: str = "python -m functions.batch") -> None:
    """Score a file: CSV, JSON Lines or Parquet, also compressed with gzip or zstd."""
    parsed = _arguments(arguments, prog)
    try:
        receipt = _score(parsed)
    except ValidationError as error:
        names = {name: f"--{name.replace('_', '-')}" for name in Options.model_fields}
        sys.exit(f"{describe_invalid(error, names)}.")
    except PackageRefused as error:
        print(
            f"{error}; --model names the package, `sklambda train` or `make up` trains one.",
            file=sys.stderr,
        )
        sys.exit(2)
    except (SklambdaError, OSError) as error:
        sys.exit(f"{error}.")
    if receipt.reason is not None:
        sys.exit(3 if receipt.reason.code == fit.UNFIT else 1)


def _arguments(arguments: Sequence[str] | None, prog: str) -> Namespace:
    parser = ArgumentParser(prog=prog, description=main.__doc__)
    parser.add_argument("file", type=Path, help="its suffix names the format and compression")
    parser.add_argument(
        "--out", type=Path, default=Path("batch"), help="output folder (%(default)s)"
    )
    parser.add_argument(
        "--model",
        type=Path,
        default=Path("layers/model/package"),
        help="the model package (%(default)s)",
    )
    parser.add_argument("--keep", help="input columns to repeat: all, none, or a,b,c (all)")
    parser.add_argument(
        "--delimiter", help=r"delimiter of CSV, \t for a tab (sniffed from the header)"
    )
    parser.add_argument("--input-format", choices=_FORMATS, help="(by the suffix)")
    parser.add_argument("--output-format", choices=_FORMATS, help="(as the input)")
    parser.add_argument(
        "--output-compression", choices=("none", "gzip", "zstd"), help="(as the input)"
    )
    parser.add_argument("--tolerance", help="share of rows that may be rejected (0.05)")
    for name, what, default in (
        ("--max-unseen", "an unseen category", 0.2),
        ("--max-out-of-range", "a value out of range", 0.5),
        ("--max-missing", "no value", 0.5),
    ):
        text = f"share of rows that may have {what} in a feature, beyond training's ({default})"
        parser.add_argument(name, help=text)
    parser.add_argument("--part-bytes", help="bytes scored at a time (16 MiB)")
    parser.add_argument("--explain", action="store_true", default=None, help="explain each score")
    parser.add_argument(
        "--show-values", action="store_true", default=None, help="write refused values in rejects"
    )
    return parser.parse_args(arguments)


def _options(arguments: Namespace) -> Options:
    names = Options.model_fields.keys() & vars(arguments).keys()
    stated = {name: value for name in names if (value := getattr(arguments, name)) is not None}
    if stated.get("delimiter") == r"\t":  # as a shell hands it over
        stated["delimiter"] = "\t"
    if stated.get("keep") not in (None, "all", "none"):
        stated["keep"] = tuple(name.strip() for name in stated["keep"].split(","))
    return Options.model_validate(stated)


def _score(arguments: Namespace) -> Receipt:
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as folder:
        predictor, out = Predictor.open(arguments.model), Directory(arguments.out)
        context = Context(predictor, out, _open_input, Path(folder))
        address = str(arguments.file.resolve())
        outline = opening.outline_job(context, address, _options(arguments))
        with _progress(console) as progress:
            task = progress.add_task(arguments.file.name, total=None, rows=0)

            def report(part: Part) -> None:
                rows = part.first + part.records - 1
                progress.update(task, completed=part.index + 1, rows=rows)

            receipt = run(context, outline, report=report)
    assert receipt is not None, "time is unlimited"
    _print_summary(console, receipt, arguments.out)
    print(receipt.model_dump_json(indent=2))
    return receipt


def _open_input(address: str) -> tuple[Storage, str]:
    path = Path(address)
    if not path.is_file():
        raise InputRefused("input_absent", f"{address} is not a file")
    return Directory(path.parent), path.name


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("parts, {task.fields[rows]:,} rows"),
        TimeElapsedColumn(),
        console=console,
    )


def _print_summary(console: Console, receipt: Receipt, out: Path) -> None:
    if receipt.reason is not None:
        reason = Text(receipt.reason.detail)
        console.print(Text.assemble(("failed", "red"), ": ", reason), soft_wrap=True)
    if receipt.rows is not None:
        rows = receipt.rows
        console.print(
            f"{rows.read:,} rows read = {rows.scored:,} scored + {rows.rejected:,} rejected"
        )
    for line in fit.summary(receipt.warnings or ()):
        console.print(Text(line), soft_wrap=True)
    for name, file in (("scored", receipt.scored), ("rejects", receipt.rejects)):
        if file is not None:
            console.print(f"{name}: {out / file.key}", highlight=False)
    console.print(f"receipt: {out}/jobs/{receipt.job}.json", highlight=False)


if __name__ == "__main__":
    main()
