"""The languages in which predictions can be asked for, over one service."""

from typing import Final

from functions.predict.dialects.dialect import Dialect
from functions.predict.dialects.invocations.routes import Invocations
from functions.predict.dialects.native import Native
from functions.predict.dialects.oip.protocol import OpenInference

DIALECTS: Final[tuple[type[Dialect], ...]] = (Native, OpenInference, Invocations)
