"""Whether rows as clients send them get the answers that the data frame itself gets."""

from collections.abc import Sequence

import pandas as pd

from training.errors import DataError
from training.frames import ClientRow
from training.proof.equality import Equality
from training.proof.reference import Reference


def require_as_given(
    reference: Reference, equality: Equality, frame: pd.DataFrame, rows: Sequence[ClientRow]
) -> None:
    """Raise `DataError` if a frame, written as JSON and read again, gets other answers.

    A frame of float32 does: scikit-learn then computes in float32, and a client's numbers are
    float64.

    Parameters
    ----------
    reference : Reference
        scikit-learn's side.
    equality : Equality
        Compares the answers.
    frame : DataFrame
        Shape [N, K], as it was given.
    rows : sequence of ClientRow
        The same rows as a client would send them.
    """
    try:
        given = reference.given(frame)
    except (AttributeError, TypeError, ValueError) as error:
        raise DataError(
            f"the pipeline does not score the frame that it was given: {type(error).__name__}"
        ) from error
    comparison = equality.compare(rows, given, reference.answers(rows))
    same = comparison.equal & ~comparison.contradicted.any(axis=1)
    if not same.all():
        raise DataError(
            f"row {int((~same).argmax())} of the frame gets another answer once it is written as "
            f"JSON and read again{_advice(frame)}"
        )


def _advice(frame: pd.DataFrame) -> str:
    narrow = [str(name) for name in frame if str(frame[name].dtype).lower() in _NARROW]
    if not narrow:
        return ""
    return f": column {narrow[0]!r} is {frame[narrow[0]].dtype}; fit on float64"


_NARROW = frozenset({"float16", "float32"})
