"""The command line: ``python -m training --help``."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training import console
from training.errors import ConfigurationError
from training.train.config import load

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # it would print values of variables
    rich_markup_mode="markdown",
    help="""
Train a scikit-learn pipeline and write it as a model package: the folder that the next build
deploys. It holds the model as an ONNX graph that was proven to score as scikit-learn does, the
signature of its inputs, and rows with scikit-learn's own scores; it holds no Python code.

**Examples**

- `python -m training run training/examples/churn/train.toml`
- `python -m training run train.toml --data customers.csv --set seed=8`
- `python -m training init mine --data customers.csv --target Churn`
- `python -m training check train.toml`
- `python -m training verify layers/model/package`
- `python -m training sample train.toml --rows 100 --out rows.csv`
- `python -m training receipt batch/jobs/3f1c….json`
- `python -m training replay reports --policy train.toml --set monitor.retrain.labels=500`

**Exit codes**

- 0: the package is written
- 2: the configuration, or the pipeline that it names, is wrong
- 3: the data cannot be read, or does not fit the configuration
- 4: a step has no exact conversion, or the graph's scores differ from scikit-learn's
- 5: a metric misses its gate

After any code but 0, `--out` is unchanged.
""",
)

Configuration = Annotated[Path, typer.Argument(metavar="CONFIG", help="The TOML file.")]
Overrides = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a key for this run; may be repeated. No value removes the key.",
    ),
]


@app.command("run")
@app.command("train", hidden=True)  # its name as `sklambda train`
def run_command(
    config: Configuration,
    source: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="FILE",
            help="Rows: a file, folder, pattern or s3:// address; else the source of CONFIG.",
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(metavar="DIR", help="The package's directory; the build deploys the default."),
    ] = Path("layers/model/package"),
    overrides: Overrides = [],  # noqa: B006 - Typer reads it and hands out a copy
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop with 3 where the data is worth a look.")
    ] = False,
) -> None:
    """Train a pipeline, prove its conversion and write the model package."""
    load(config, overrides)
    # scikit-learn is slow to import: --help and errors of the configuration come before.
    from training.train.run import run

    screen = Console(stderr=True)
    with console.progress(screen) as progress:
        result = run(
            config,
            source=source,
            out=out,
            overrides=overrides,
            strict=strict,
            progress=progress,
            tell=partial(console.worth_a_look, screen),
        )
    console.outcome(Console(), result)


@app.command("init")
def init_command(
    source: Annotated[
        str,
        typer.Option(
            "--data", metavar="FILE", help="Rows: a file, folder, pattern or s3:// address."
        ),
    ],
    target: Annotated[str, typer.Option(metavar="NAME", help="The column to predict.")],
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="The project's folder; made if there is none.")
    ] = Path(),
) -> None:
    """Look at a file and write a project for it that trains at once."""
    from training.init.create import create

    console.created(Console(), create(folder, source, target), source)


@app.command("check")
def check_command(
    pipeline: Annotated[
        Path,
        typer.Argument(
            metavar="PIPELINE", help="A TOML file, or a fitted pipeline written by joblib."
        ),
    ],
    source: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="FILE",
            help="Rows: those that a fitted pipeline was fitted on; of a TOML file else its own.",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The target's column in the rows, where they have it."),
    ] = None,
    overrides: Overrides = [],  # noqa: B006 - Typer reads it and hands out a copy
) -> None:
    """Say in seconds whether a pipeline could be exported, and if not, all that is refused."""
    if pipeline.suffix == ".toml":
        load(pipeline, overrides)
    elif overrides:
        raise ConfigurationError("--set changes keys of a TOML file, and this is a fitted pipeline")
    from training.train import trial

    if pipeline.suffix == ".toml":
        found = trial.try_configuration(pipeline, source, overrides)
    else:
        found = trial.try_fitted(pipeline, source, target)
    console.tried(Console(), found)


@app.command("sample")
def sample_command(
    config: Configuration,
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="The file to write.")],
    rows: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="The number of rows; else `data.sample_rows`."),
    ] = None,
    overrides: Overrides = [],  # noqa: B006 - Typer reads it and hands out a copy
) -> None:
    """Write the rows that the configuration's own generator makes, as CSV."""
    settings = load(config, overrides)
    from training.train import data, pipelines

    frame = pipelines.sample(settings, config.parent, rows)
    out.write_bytes(data.to_csv(frame))
    Console().print(f"{len(frame)} rows: {out}", markup=False, highlight=False, soft_wrap=True)


@app.command("verify")
def verify_command(
    package: Annotated[Path, typer.Argument(metavar="PACKAGE", help="The package's directory.")],
    source: Annotated[
        str | None,
        typer.Option("--data", metavar="FILE", help="Rows to try against its signature."),
    ] = None,
) -> None:
    """Check a package's files and replay its golden rows on this machine."""
    from training.checks.verify import verify

    console.verdict(Console(), verify(package, source))


@app.command("receipt")
def receipt_command(
    receipt: Annotated[Path, typer.Argument(metavar="RECEIPT", help="A job's receipt.")],
    root: Annotated[
        Path | None,
        typer.Option("--root", metavar="DIR", help="The folder of its files; else beside `jobs`."),
    ] = None,
) -> None:
    """Check the files of a batch job against its receipt, byte by byte."""
    from training.checks.receipt import check

    console.checked(Console(), check(receipt, root))


@app.command("replay")
def replay_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The monitor's reports.")],
    policy: Annotated[
        Path | None,
        typer.Option(metavar="CONFIG", help="The TOML file with the policy."),
    ] = None,
    overrides: Overrides = [],  # noqa: B006 - Typer reads it and hands out a copy
) -> None:
    """Show the decisions of a retraining policy on the reports of the past."""
    from training.checks.replay import replay
    from training.train import config

    console.replayed(Console(), replay(folder, config.policy(policy, overrides)))


def main(arguments: Sequence[str] | None = None, prog: str = "python -m training") -> None:
    """Run the command line; an error that its user can act on ends it without a stack trace."""
    console.run(app, arguments, prog)


if __name__ == "__main__":
    main()
