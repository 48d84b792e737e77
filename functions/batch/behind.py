"""Answers put behind lines of CSV that stay as they are."""

from itertools import compress

from sklambda.arrays import Flags


def behind(lines: bytes, good: Flags, answers: bytes) -> bytes | None:
    """Put an answer behind each line.

    Parameters
    ----------
    lines : bytes
        One for each of `good`; the last one may lack its end.
    good : Flags
        Which lines are written.
    answers : bytes
        A line for each that is written.

    Returns
    -------
    bytes or None
        None where an answer takes several lines.
    """
    ends = answers.split(b"\n")[:-1]
    if len(ends) != int(good.sum()):
        return None
    if not good.all():
        lines = b"\n".join(compress(lines.split(b"\n"), good.tolist()))
    if ends and not lines.endswith(b"\n"):
        lines += b"\n"
    # Formatting copies all that is between two answers at once, where a list of lines and answers
    # takes as long as all else that is done here.
    template = lines.replace(b"%", b"%%").replace(b"\n", b"%b\n")
    return template % tuple(ends)
