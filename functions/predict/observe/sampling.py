"""Samples of predictions and callers that are stable over repetitions and processes."""

from hashlib import blake2b
from typing import Final

_BYTES: Final = 8
_ALL: Final = 1 << 8 * _BYTES


def is_sampled(name: str, share: float, purpose: str) -> bool:
    """Return whether a name belongs to a sample.

    Parameters
    ----------
    name : str
        The id of a prediction or of a caller.
    share : float
        Share of all names in the sample, from 0 to 1.
    purpose : str
        Use of the sample; the samples of two purposes are independent.
    """
    if share >= 1.0:
        return True
    content = name.encode(errors="surrogatepass")  # an event may hold any text
    digest = blake2b(content, digest_size=_BYTES, person=purpose.encode()).digest()
    return int.from_bytes(digest) < share * _ALL
