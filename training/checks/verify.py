"""Verification of a package: its files, and its golden rows on this machine."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sklambda.codec.codec import Codec
from sklambda.errors import PackageRefused, RowsInvalid
from sklambda.package import ModelPackage
from training.data.sources import client_rows
from training.errors import ConfigurationError
from training.package_check import check


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of verifying a package.

    Attributes
    ----------
    package : ModelPackage
        The package, every file of it checked.
    accepted : int
        Rows of the data that the signature accepts.
    refused : Counter of (str, str)
        How often each feature was refused in the data, and by which code.
    """

    package: ModelPackage
    accepted: int
    refused: Counter[tuple[str, str]]


def verify(path: Path, source: str | Path | None = None) -> Verdict:
    """Check a package, replay its golden rows, and count the rows of a file that it accepts.

    Raises
    ------
    ConfigurationError
        The package is absent, damaged or too new, or its signature refuses a golden row.
    ParityFailed
        The scores or labels of a golden row differ from scikit-learn's; names the row. Or there is
        no golden row.
    DataError
        The file cannot be read, or lacks a feature.
    """
    try:
        predictor = check(path)
    except PackageRefused as error:
        raise ConfigurationError(str(error)) from error
    signature = predictor.package.signature
    rows = [] if source is None else client_rows(str(source), signature)
    faults = _faults(Codec(signature), rows)
    refused = {row for row, _ in faults}
    counts = Counter(place for _, place in faults)
    return Verdict(predictor.package, len(rows) - len(refused), counts)


def _faults(
    codec: Codec, rows: Sequence[Mapping[str, object]]
) -> list[tuple[int, tuple[str, str]]]:
    try:
        codec.encode(rows)
    except RowsInvalid as invalid:
        return [(f.row, (f.feature or "", f.code.value)) for f in invalid.faults]
    return []
