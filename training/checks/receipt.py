"""Whether the files of a batch job are what its receipt says."""

from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from sklambda.receipt import File, Receipt, misfits
from training.errors import ConfigurationError, DataError


def check(path: Path, root: Path | None = None) -> Receipt:
    """Compare the files that a receipt names with it: every byte of them.

    Parameters
    ----------
    path : Path
        The receipt, ``jobs/….json``.
    root : Path, optional
        The folder that the receipt's keys are relative to; else the one that ``jobs`` is in.

    Raises
    ------
    ConfigurationError
        It is no receipt.
    DataError
        A file is absent, or not what was written.
    """
    receipt = _read(path)
    folder = path.resolve().parent.parent if root is None else root

    def opened(file: File) -> BinaryIO:
        return (folder / file.key).open("rb")

    try:
        for problem in misfits(receipt, opened):
            raise DataError(problem)
    except OSError as error:
        raise DataError(f"{error.filename}: {error.strerror}") from None
    return receipt


def _read(path: Path) -> Receipt:
    try:
        return Receipt.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except ValidationError:
        raise ConfigurationError(f"{path} is no receipt of a batch job") from None
