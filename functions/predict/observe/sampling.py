"""Shares of a stream that stay the same however often, and wherever, they are drawn."""

from hashlib import blake2b
from typing import Final

_BYTES: Final = 8
_ALL: Final = 1 << 8 * _BYTES


def chosen(name: str, share: float, purpose: str) -> bool:
    """Tell whether a name belongs to a share.

    Parameters
    ----------
    name : str
        What is drawn: the id of a prediction, of a caller.
    share : float
        From 0 (none) to 1 (all).
    purpose : str
        What the share is drawn for; the shares of two purposes are independent.
    """
    if share >= 1.0:
        return True
    digest = blake2b(name.encode(), digest_size=_BYTES, person=purpose.encode()).digest()
    return int.from_bytes(digest) < share * _ALL
