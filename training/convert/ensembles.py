"""Votes and stacks of other predictors."""

from typing import Final

from training.convert.scope import Convert

CONVERTERS: Final[dict[type, Convert]] = {}
