"""Columns selected by what was learnt of them."""

from typing import Final

from training.convert.scope import Convert

CONVERTERS: Final[dict[type, Convert]] = {}
