"""Several classes or outputs out of several estimators."""

from typing import Final

from training.convert.scope import Convert

CONVERTERS: Final[dict[type, Convert]] = {}
