"""Verification of a batch job's files against its receipt."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from pydantic import ValidationError

from sklambda.storage.receipt import FORMAT, File, Receipt
from training.errors import ConfigurationError, DataError

_CHUNK: Final = 2**20


def check(path: Path, root: Path | None = None) -> Receipt:
    """Check the files that a receipt names against it, byte by byte.

    Parameters
    ----------
    path : Path
        The receipt, ``jobs/….json``.
    root : Path, optional
        The folder that the receipt's keys are relative to; else the one that ``jobs`` is in.

    Raises
    ------
    ConfigurationError
        The file is not a receipt.
    DataError
        A file is absent, or differs from the receipt.
    """
    receipt = _read(path)
    folder = path.resolve().parent.parent if root is None else root

    def open_file(file: File) -> BinaryIO:
        return (folder / file.key).open("rb")

    try:
        for difference in differences(receipt, open_file):
            raise DataError(difference)
    except OSError as error:
        raise DataError(f"{error.filename}: {error.strerror}") from None
    return receipt


def differences(receipt: Receipt, open_file: Callable[[File], BinaryIO]) -> Iterator[str]:
    """Compare published files with a receipt.

    Parameters
    ----------
    receipt : Receipt
        Describes the files.
    open_file : callable
        Opens a published file.

    Yields
    ------
    str
        A sentence for each difference.
    """
    if receipt.format != FORMAT:
        yield f"the receipt has format {receipt.format}, and this sklambda reads {FORMAT}"
        return
    rows = receipt.rows
    if rows is not None and rows.read != rows.scored + rows.rejected:
        yield "the number of rows read is not that of rows scored and rejected"
    if rows is not None and receipt.scored is not None and receipt.scored.rows != rows.scored:
        yield "the scored file does not hold the rows scored"
    for file in (receipt.scored, receipt.rejects):
        if file is not None:
            with open_file(file) as content:
                yield from _piece_differences(file, content)


def _piece_differences(file: File, content: BinaryIO) -> Iterator[str]:
    for place, piece in enumerate(file.pieces):
        if _digest(content, piece.bytes) != piece.sha256:
            yield f"{file.key}: piece {place} of {len(file.pieces)} differs from the receipt"
            return
    if content.read(1):
        yield f"{file.key}: the file is longer than in the receipt"


def _digest(content: BinaryIO, length: int) -> str:
    digest = sha256()
    while length and (chunk := content.read(min(length, _CHUNK))):
        digest.update(chunk)
        length -= len(chunk)
    return digest.hexdigest()


def _read(path: Path) -> Receipt:
    try:
        return Receipt.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except ValidationError:
        raise ConfigurationError(f"{path} is not a receipt of a batch job") from None
