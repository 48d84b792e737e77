"""Probabilities calibrated, thresholds chosen."""

from typing import Final

from training.convert.scope import Convert

CONVERTERS: Final[dict[type, Convert]] = {}
