"""Wrappers around an estimator that was chosen or frozen."""

from typing import Final

from training.convert.scope import Convert

CONVERTERS: Final[dict[type, Convert]] = {}
