"""What a model package says about itself, as it stands in its files."""

from sklambda.document import Document
from sklambda.signature import Scalar


class FileDigest(Document):
    """One file's SHA-256, in hexadecimal, and its length in bytes."""

    sha256: str
    bytes: int


class MetricInterval(Document):
    """A metric on held-out rows, with the ends of its confidence interval."""

    value: float
    low: float
    high: float


class ParityReport(Document):
    """How the graph compared with scikit-learn.

    Attributes
    ----------
    rows : dict of str to int
        How many rows were compared, by the reason for which they were chosen.
    refused : int
        How many further rows were refused, by scikit-learn and the codec alike, or by the codec
        alone where float64 cannot hold the number.
    labels : int
        How many labels were compared.
    max_difference : float
        The greatest difference of two scores: absolute up to a score of 1, relative above.
    tolerance : float
        What was tolerated.
    """

    rows: dict[str, int]
    refused: int
    labels: int
    max_difference: float
    tolerance: float


class Manifest(Document):
    """What a package says about itself; `docs/package.md` has a line for each member."""

    format: int
    id: str
    name: str
    created: str
    task: str
    files: dict[str, FileDigest]
    size: int
    data_digest: str | None = None
    code_digest: str | None = None
    libraries: dict[str, str]
    metrics: dict[str, MetricInterval]
    gates: dict[str, float]
    parity: ParityReport


class GoldenRow(Document):
    """One row as a client would send it, with scikit-learn's own answer.

    Attributes
    ----------
    name : str
        Where the row came from, for the person who sees it fail.
    row : dict
        Feature values by name.
    scores : tuple of float
        scikit-learn's scores, float64, one a class.
    labels : tuple of bool, int, float or str
        scikit-learn's label, one a target; empty for a regressor.
    """

    name: str
    row: dict[str, Scalar | None]
    scores: tuple[float, ...]
    labels: tuple[Scalar, ...] = ()
