"""Objects of S3 as files of rows."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from sklambda.reading.suffixes import COMPRESSIONS, FORMATS
from training.errors import DataError


def objects(address: str) -> Iterator[tuple[str, bytes]]:
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
