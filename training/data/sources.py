"""The rows that a training run reads: files, folders, S3, a query, or a function's frame."""

import gzip
import io
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pandas as pd
import zstandard
from pydantic_core import from_json

from sklambda.errors import InputRefused
from sklambda.reading.rules import Reading
from sklambda.reading.suffixes import COMPRESSIONS, FORMATS, compression_of, format_of
from sklambda.signature import Kind, Signature
from training.data.columns import TypedColumn, cells_of, typed, typed_values
from training.data.doubts import Doubt, doubt
from training.data.findings import Finding, of_cells
from training.errors import DataError

_DATETIME: Final[Kind] = "datetime"
_EXCEL: Final = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")


@dataclass(frozen=True, slots=True)
class Source:
    """Rows, and what is known of them.

    Attributes
    ----------
    frame : DataFrame
        [N, K].
    kinds : mapping of str to str
        The kind of each column.
    digest : str
        SHA-256 of all that was read, in 64 hexadecimal digits.
    description : str
        How it was read, for people.
    doubts : tuple of Doubt
        Columns that were read as categories and may be something else.
    findings : tuple of Finding
        What else is worth a look in the text of a column.
    delimiter : str or None
        Of the first CSV file.
    """

    frame: pd.DataFrame
    kinds: Mapping[str, Kind]
    digest: str
    description: str
    doubts: tuple[Doubt, ...] = ()
    findings: tuple[Finding, ...] = ()
    delimiter: str | None = None


def read(
    place: str,
    reading: Reading,
    types: Mapping[str, Kind] | None = None,
    wanted: Collection[str] = (),
    folder: Path = Path(),
) -> Source:
    """Read all rows of a place.

    Parameters
    ----------
    place : str
        A file, a folder, a pattern with ``*``, or ``s3://bucket/key``; relative to `folder`.
    reading : Reading
        The rules by which CSV is read.
    types : mapping of str to str, optional
        Types of some columns in place of those that are inferred.
    wanted : collection of str
        Columns that the rows are expected to have.
    folder : path
        Where relative places begin.

    Raises
    ------
    DataError
        One sentence that names columns and lines, and never holds a value.
    """
    files = list(_files(place, folder))
    digest = sha256()
    tables = []
    for name, content in files:
        digest.update(content)
        tables.append(_table(name, content, reading, wanted))
    names = [name for name, _ in files]
    return _joined(names, tables, reading, types or {}, digest.hexdigest())


@dataclass(frozen=True, slots=True)
class _Table:
    """The columns of one file: cells of CSV, or values that have types already."""

    columns: Mapping[str, list[Any]]
    is_text: bool
    description: str
    delimiter: str | None = None


def _files(place: str, folder: Path) -> Iterator[tuple[str, bytes]]:
    if place.startswith("s3://"):
        yield from _objects(place)
        return
    path = folder / place
    if any(sign in place for sign in "*?["):
        anchor = Path(path.anchor) if path.is_absolute() else Path()
        paths = sorted(anchor.glob(str(path.relative_to(anchor))))
    elif path.is_dir():
        known = (*FORMATS, *COMPRESSIONS, *_EXCEL)
        paths = sorted(each for each in path.rglob("*") if each.suffix.lower() in known)
    else:
        paths = [path]
    if not paths:
        raise DataError(f"there is no file of rows at {place}")
    for each in paths:
        try:
            yield each.name, each.read_bytes()
        except OSError as error:
            raise DataError(f"cannot read {each}: {error.strerror}") from None


def _objects(address: str) -> Iterator[tuple[str, bytes]]:
    """Return the names and the contents of an object, of a prefix that ends in /, or of a pattern.

    Raises
    ------
    DataError
        The package boto3 is not installed, there is no such object, or it cannot be read.
    """
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        raise DataError(
            "reading from S3 needs the package boto3: pip install boto3, or copy the file"
        ) from None
    bucket, _, key = address.removeprefix("s3://").partition("/")
    client = boto3.client("s3")
    try:
        keys = list(_keys(client, bucket, key))
        if not keys:
            raise DataError(f"there is no object of rows at {address}")
        for each in keys:
            yield each, client.get_object(Bucket=bucket, Key=each)["Body"].read()
    except (BotoCoreError, ClientError) as error:
        raise DataError(f"cannot read {address}: {type(error).__name__}: {error}") from None


def _keys(client: Any, bucket: str, key: str) -> Iterator[str]:
    pattern = any(sign in key for sign in "*?[")
    if not pattern and key and not key.endswith("/"):
        yield key
        return
    prefix = key.split("*")[0].split("?")[0].split("[")[0] if pattern else key
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    found = sorted(one["Key"] for page in pages for one in page.get("Contents", ()))
    for each in found:
        suffixes = f".{each.rpartition('.')[2].lower()}"
        if fnmatchcase(each, key) if pattern else suffixes in FORMATS | COMPRESSIONS:
            yield each


def _table(name: str, content: bytes, reading: Reading, wanted: Collection[str]) -> _Table:
    try:
        return _parsed(name, content, reading, wanted)
    except (DataError, InputRefused) as error:
        detail = error.detail if isinstance(error, InputRefused) else str(error)
        raise DataError(f"{name}: {detail}") from None


def _parsed(name: str, content: bytes, reading: Reading, wanted: Collection[str]) -> _Table:
    if name.lower().endswith(_EXCEL):
        return _of_excel(content)
    content = _decompressed(content, compression_of(name))
    match format_of(name):
        case "csv":
            table = cells_of(content, reading, wanted)
            return _Table(table.columns, True, str(table), table.dialect.delimiter)
        case "json_lines":
            return _Table(_members(content), False, "JSON Lines")
    return _of_parquet(content)


def _decompressed(content: bytes, compression: str) -> bytes:
    try:
        if compression == "gzip":
            return gzip.decompress(content)
        if compression == "zstd":
            reader = zstandard.ZstdDecompressor().stream_reader(
                io.BytesIO(content), read_across_frames=True
            )
            return reader.read()
    except (OSError, EOFError, zlib.error, zstandard.ZstdError):
        raise DataError("the compressed file is damaged or truncated") from None
    return content


def _members(content: bytes) -> dict[str, list[Any]]:
    """Return the members of JSON objects, one a line, as columns."""
    rows = []
    for place, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = from_json(line, allow_inf_nan=False)
        except ValueError:
            raise DataError(f"line {place} is not JSON") from None
        if not isinstance(row, dict):
            raise DataError(f"line {place} is not a JSON object")
        rows.append(row)
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _of_parquet(content: bytes) -> _Table:
    import tempfile

    import duckdb

    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        file.write(content)
        file.flush()
        try:
            rows = duckdb.sql("select * from read_parquet($path)", params={"path": file.name})
            return _Table(_values(rows), False, "Parquet")
        except duckdb.Error as error:
            first = str(error).partition("\n")[0]
            raise DataError(f"the file is not Parquet that DuckDB reads ({first})") from None


def _values(rows: Any) -> dict[str, list[Any]]:
    """Return the columns of a result of DuckDB."""
    found = rows.fetchall()
    return {name: [row[place] for row in found] for place, name in enumerate(rows.columns)}


def of_csv(
    name: str, content: bytes, reading: Reading, types: Mapping[str, Kind] | None = None
) -> Source:
    """Return the rows of the text of a CSV file; raises `DataError`."""
    cells = cells_of(content, reading)
    table = _Table(cells.columns, True, str(cells))
    return _joined([name], [table], reading, types or {}, sha256(content).hexdigest())


def client_rows(place: str, signature: Signature) -> list[dict[str, object]]:
    """Return the rows of a place as a client would send them, by the rules of a package.

    Raises
    ------
    DataError
        The place cannot be read, or lacks a feature.
    """
    rows: list[dict[str, object]] = []
    for name, content in _files(place, Path()):
        table = _table(name, content, signature.reading, signature.admitted)
        absent = [each for each in signature.names if each not in table.columns]
        if absent:
            raise DataError(f"{name} lacks column `{absent[0]}`, a feature of the package")
        columns = [table.columns[each] for each in signature.names]
        if table.is_text:
            parsers = signature.cell_parsers.values()
            columns = [[*map(parse, cells)] for parse, cells in zip(parsers, columns, strict=True)]
        rows += [
            dict(zip(signature.names, values, strict=True)) for values in zip(*columns, strict=True)
        ]
    return rows


def of_query(query: str, folder: Path) -> Source:
    """Return the rows of a query of DuckDB, which reads files relative to `folder`.

    Raises
    ------
    DataError
        DuckDB refuses the query.
    """
    import duckdb

    con = duckdb.connect(config={"file_search_path": str(folder.resolve())})
    try:
        columns = _values(con.sql(query))
    except duckdb.Error as error:
        raise DataError(f"`data.query`: {str(error).partition(chr(10))[0]}") from None
    table = _Table(columns, False, "a query of DuckDB")
    digest = sha256(repr(columns).encode()).hexdigest()
    return _joined(["data.query"], [table], Reading(), {}, digest)


def _of_excel(content: bytes) -> _Table:
    try:
        import_module("python_calamine")
    except ImportError:
        raise DataError(
            "reading a workbook needs the package python-calamine: install sklambda with its extra "
            '"excel", or save the sheet as CSV'
        ) from None
    frame = pd.read_excel(io.BytesIO(content), engine="calamine")
    columns = {str(name): _plain(frame[name]) for name in frame}
    return _Table(columns, False, "the first sheet of a workbook")


def _plain(column: "pd.Series[Any]") -> list[Any]:
    return [None if pd.isna(value) else value for value in column.tolist()]


def _joined(
    names: Sequence[str],
    tables: Sequence[_Table],
    reading: Reading,
    types: Mapping[str, Kind],
    digest: str,
) -> Source:
    """Return the rows of all files, one after the other."""
    first = tables[0]
    for name, table in zip(names, tables, strict=True):
        if {*table.columns} != {*first.columns} or table.is_text != first.is_text:
            raise DataError(f"{name}: its columns or its format are not those of {names[0]}")
    columns = {
        name: [value for table in tables for value in table.columns[name]] for name in first.columns
    }
    stated = dict.fromkeys(reading.dates, _DATETIME) | {**types}
    made = _typed(columns, first.is_text, reading, stated)
    inferred = {name: cells for name, cells in columns.items() if name not in stated}
    categories = [name for name in inferred if made[name].kind == "category"]
    doubts = [doubt(name, inferred[name], reading) for name in categories if first.is_text]
    findings = [
        each
        for name, cells in inferred.items()
        if first.is_text
        for each in of_cells(name, cells, made[name].kind)
    ]
    more = f", {len(tables)} files" if len(tables) > 1 else ""
    return Source(
        pd.DataFrame({name: one.values for name, one in made.items()}),
        {name: one.kind for name, one in made.items()},
        digest,
        first.description + more,
        tuple(each for each in doubts if each is not None),
        tuple(findings),
        first.delimiter,
    )


def _typed(
    columns: Mapping[str, list[Any]], is_text: bool, reading: Reading, stated: Mapping[str, Kind]
) -> dict[str, TypedColumn]:
    """Return the columns with types; raises `DataError` with all faults."""
    made: dict[str, TypedColumn] = {}
    faults = []
    for name, cells in columns.items():
        kind = stated.get(name)
        try:
            made[name] = (
                typed(name, cells, reading, kind) if is_text else typed_values(name, cells, kind)
            )
        except DataError as error:
            faults.append(str(error))
    if faults:
        raise DataError("; ".join(faults))
    return made
