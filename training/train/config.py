"""The short TOML file that describes a training run."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SkipValidation,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from sklambda.errors import DocumentInvalid
from sklambda.policy.watching import RetrainingPolicy, Watching
from sklambda.reading.rules import Reading
from sklambda.signature import Kind
from training.errors import ConfigurationError, nearest


def _reference(text: str) -> str:
    module, _, function = text.partition(":")
    if not (module.isidentifier() and function.isidentifier()):
        raise ValueError('must name a function as "module:function"')
    return text


def _label(value: object) -> object:
    if not isinstance(value, str | int | float):
        raise ValueError("must be text, a number or a boolean")
    return value


def _tab(text: object) -> object:
    return "\t" if text == "\\t" else text  # as a shell hands it to --set


_EXPECTED = {
    "missing": "is missing",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "must start with a letter or digit and go on with those and `. _ -`",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "tuple_type": "must be a list",
    "dict_type": "must be a table",
    "mapping_type": "must be a table",
    "model_type": "must be a table",
}

type Name = Annotated[str, Field(min_length=1)]
type Names = Annotated[tuple[Name, ...], Field(strict=False)]  # TOML has lists, not tuples
type Reference = Annotated[str, AfterValidator(_reference)]
type Label = Annotated[str | int | float | bool | None, SkipValidation, AfterValidator(_label)]
type Finite = Annotated[float, Field(allow_inf_nan=False)]
type Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
type Sign = Annotated[str, BeforeValidator(_tab)]
type Learning = Literal["classification", "regression"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Read(_Section):
    """How a file of rows is read; the package keeps all but the types."""

    encoding: Name | None = None
    delimiter: Sign | None = None
    quote: str = '"'
    escape: str | None = None
    names: Names = ()
    skip: Annotated[int, Field(ge=0)] = 0
    comment: str | None = None
    trim: bool = False
    decimal: str = "."
    thousands: str | None = None
    units: Names = ()
    missing: Annotated[tuple[str, ...], Field(strict=False)] = ()
    default_missing: bool = True
    true: Names = ()
    false: Names = ()
    dates: Mapping[str, Name] = {}
    zone: str | None = None
    types: Mapping[str, Kind] = {}

    @model_validator(mode="after")
    def _is_one_that_packages_have(self) -> "Read":
        try:
            _ = self.reading
        except DocumentInvalid as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def reading(self) -> Reading:
        """The section as the model package has it."""
        return Reading(**self.model_dump(exclude={"types"}))

    @property
    def kept(self) -> Reading | None:
        """What the package keeps: None where nothing is stated."""
        return None if self.reading == Reading() else self.reading


class Data(_Section):
    """The columns, and the source of rows without ``--data``."""

    target: Name
    task: Learning | None = None
    row_id: Name | None = None
    drop: Names = ()
    text: Names = ()
    accepted: Names = ()
    path: Name | None = None
    query: Name | None = None
    load: Reference | None = None
    read: Read = Read()
    sample: Reference | None = None
    sample_rows: Annotated[int, Field(ge=50)] = 4000

    @model_validator(mode="after")
    def _each_column_has_one_use(self) -> "Data":
        uses = [self.target, *([self.row_id] if self.row_id else []), *self.drop]
        if len(set(uses)) < len(uses):
            raise ValueError("must name different columns in `target`, `row_id` and `drop`")
        sources = [name for name in ("path", "query", "load") if getattr(self, name) is not None]
        if len(sources) > 1:
            raise ValueError(f"must have one source of rows, and has {' and '.join(sources)}")
        return self


class Pipeline(_Section):
    """The function that makes the pipeline, and its keyword arguments."""

    build: Reference
    options: Mapping[str, Any] = {}


class Evaluation(_Section):
    """The split, and the measuring of metrics on held-out rows."""

    test_size: Annotated[float, Field(gt=0, lt=1)] = 0.2
    positive: Label = None
    bootstrap: Annotated[int, Field(ge=20, le=10_000)] = 200
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95


class Gates(_Section):
    """The least score or the greatest loss that held-out rows must show."""

    accuracy: Share | None = None
    precision: Share | None = None
    recall: Share | None = None
    f1: Share | None = None
    roc_auc: Share | None = None
    average_precision: Share | None = None
    brier: Share | None = None
    log_loss: Annotated[Finite, Field(ge=0)] | None = None
    mean_absolute_error: Annotated[Finite, Field(ge=0)] | None = None
    root_mean_squared_error: Annotated[Finite, Field(ge=0)] | None = None
    r2: Annotated[Finite, Field(le=1)] | None = None


class Proof(_Section):
    """The time limit of the conversion and its proof, in seconds."""

    time_limit: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 600.0


class Retrain(_Section):
    """The policy of retraining; drift alone is never a reason."""

    labels: Annotated[int, Field(ge=1)] = 200
    cooldown_hours: Annotated[int, Field(ge=0)] = 168
    windows: Annotated[int, Field(ge=1)] = 2
    of_windows: Annotated[int, Field(ge=1)] = 3
    estimated_drop: Annotated[float, Field(ge=0, le=1)] = 0.02

    @model_validator(mode="after")
    def _windows_are_some_of_them(self) -> "Retrain":
        if self.windows > self.of_windows:
            raise ValueError("must have `windows` no greater than `of_windows`")
        return self


class Monitor(_Section):
    """The groups and segments that the monitor compares, and its thresholds."""

    window_hours: Annotated[int, Field(ge=1)] = 24
    groups: Names = ()
    segments: Names = ()
    effect: Annotated[float, Field(gt=0, lt=1)] = 0.1
    points: Annotated[float, Field(gt=0, lt=1)] = 0.05
    rate: Annotated[float, Field(gt=0, lt=1)] = 0.05
    enough: Annotated[int, Field(ge=1)] = 500
    retrain: Retrain = Retrain()

    @property
    def watching(self) -> Watching:
        """The section as the model package has it."""
        return Watching.of(self.model_dump())


class Config(_Section):
    """A training run, as its TOML file and the ``--set`` overrides describe it."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    data: Data
    pipeline: Pipeline
    evaluation: Evaluation = Evaluation()
    gates: Gates = Gates()
    proof: Proof = Proof()
    monitor: Monitor = Monitor()


def load(path: Path, overrides: Sequence[str] = ()) -> Config:
    """Read and check a configuration; no data is read.

    Parameters
    ----------
    path
        The TOML file.
    overrides
        ``key=value`` pairs, keys dotted. A value is read as TOML, or else taken as text;
        an empty value removes the key.

    Raises
    ------
    ConfigurationError
        Naming every key that is wrong, and for an unknown one the nearest right one.
    """
    values = _parse(path)
    for override in overrides:
        _apply(values, override)
    return _checked(values, path.name)


def policy(path: Path | None = None, overrides: Sequence[str] = ()) -> RetrainingPolicy:
    """Read the retraining policy: of a configuration, or the default.

    Raises
    ------
    ConfigurationError
        As `load` raises it.
    """
    if path is not None:
        return load(path, overrides).monitor.watching.retrain
    values = {"name": "any", "data": {"target": "any"}, "pipeline": {"build": "any:any"}}
    for override in overrides:
        _apply(values, override)
    return _checked(values, "--set").monitor.watching.retrain


def _checked(values: dict[str, Any], source: str) -> Config:
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        faults = [_sentence(fault) for fault in error.errors()]
        count = f"has {len(faults)} faults" if len(faults) > 1 else "is wrong"
        raise ConfigurationError(f"{source} {count}: {'; '.join(faults)}") from None


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from None


def _apply(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    places = key.strip().split(".")
    if not equals or not all(places):
        raise ConfigurationError(f"--set {override}: write it as key=value, as in --set seed=1")
    table = values
    for place in places[:-1]:
        table = table.setdefault(place, {})
        if not isinstance(table, dict):
            raise ConfigurationError(f"--set {override}: `{place}` is a value, not a table")
    table.pop(places[-1], None)
    if text.strip():
        table[places[-1]] = _value(text.strip())


def _value(text: str) -> Any:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return parsed["value"] if len(parsed) == 1 else text


def _sentence(fault: ErrorDetails) -> str:
    if fault["type"] == "extra_forbidden":
        return _unknown([str(part) for part in fault["loc"]])
    place = ".".join(map(str, fault["loc"]))
    if fault["type"] == "literal_error":
        return f"`{place}` {_among(str(fault['input']), fault['ctx']['expected'])}"
    message = fault["msg"].removeprefix("Value error, ").replace("Input should", "must")
    return f"`{place}` {_EXPECTED.get(fault['type'], message)}"


def _among(given: str, expected: str) -> str:
    known = re.findall(r"'([^']*)'", expected)
    return f"must be one of {', '.join(known)}, got {given!r}{nearest(given, known)}"


def _unknown(location: list[str]) -> str:
    *above, last = location
    prefix = ".".join([*above, ""])
    keys = list(_keys(Config))
    beside = [key.removeprefix(prefix) for key in keys if key.startswith(prefix)]
    same = [key for key in keys if key.endswith(f".{last}")]
    hint = f"; did you mean `{same[0]}`?" if same else nearest(last, beside, prefix)
    if not hint and above == ["pipeline"]:
        hint = "; what `build` is called with goes under `pipeline.options`"
    own = ", ".join(key for key in beside if "." not in key)
    place = f"of `{'.'.join(above)}`" if above else "outside of tables"
    return f"`{prefix}{last}` is not a key; the keys {place} are {own}{hint}"


def _keys(section: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in section.model_fields.items():
        yield f"{prefix}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _keys(field.annotation, f"{prefix}{name}.")
