"""What a package needs to explain its scores, found in its graph and proven on it."""

import io
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklambda.arrays import FloatMatrix
from sklambda.codec.codec import Codec
from sklambda.explain.closed_form import Arrays, Exact
from sklambda.explain.explainer import owners
from sklambda.signature import Signature
from training.explain.exact import closed_form, table_arrays
from training.explain.flow import Flow
from training.explain.proof import require_exact
from training.explain.refusal import NoClosedForm
from training.frames import client_rows

_SEED: Final = 0
_SAMPLE: Final = 256
_MOST_ROWS: Final = 64
"""How many rows the background holds at most: `TreeTable` has a word of 64 bits for them."""

_NUMBERS: Final = 2**22
"""How many numbers the sample and the background hold at most: a text has a column a word."""


def explainer_file(model: bytes, signature: Signature, frame: pd.DataFrame) -> bytes:
    """Make the file with which a package explains its scores.

    Parameters
    ----------
    model : bytes
        The graph of the package.
    signature : Signature
        Its inputs and its answer.
    frame : DataFrame
        Shape [N, F]: the rows that the model was fitted on.

    Returns
    -------
    bytes
        What `sklambda.explain.explainer.Explainer.open` reads.
    """
    generator, most = np.random.default_rng(_SEED), max(1, _NUMBERS // signature.width)
    places = generator.permutation(len(frame))[: min(_SAMPLE, most)]
    sample = Codec(signature).encode(client_rows(frame.iloc[places], signature.kinds))
    background = sample[: min(_MOST_ROWS, most // 4 + 1)]
    return _npz({"background": background, **_found(model, signature, sample, background)})


def _found(
    model: bytes, signature: Signature, sample: FloatMatrix, background: FloatMatrix
) -> Arrays:
    owned = owners(signature)
    try:
        explained, exact = closed_form(Flow(model, sample), owned, background)
        require_exact(explained, exact, owned, background)
    except NoClosedForm as error:
        return {"reason": np.array(str(error))}
    return _arrays(exact)


def _arrays(exact: Exact) -> dict[str, NDArray[Any]]:
    """Return the arrays of a closed form by name, as `Exact.from_arrays` reads them."""
    tables = enumerate(map(table_arrays, exact.tables))
    return {
        "prepare": np.frombuffer(exact.prepare, dtype=np.uint8),
        "link": np.array(exact.link),
        "tables": np.array(len(exact.tables)),
        "base": exact.base,
        "owners": exact.owners,
        "weights": exact.weights,
        "centre": exact.centre,
        **{f"tree{place}_{name}": array for place, one in tables for name, array in one.items()},
    }


def _npz(arrays: Arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()
