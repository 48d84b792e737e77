"""The manifest and the golden rows of a model package."""

from sklambda.document import Document
from sklambda.signature import Scalar


class FileDigest(Document):
    """The SHA-256 of a file, in hexadecimal, and its length in bytes."""

    sha256: str
    bytes: int


class MetricInterval(Document):
    """A metric of held-out rows with its 95 % confidence interval."""

    value: float
    low: float
    high: float


class ParityReport(Document):
    """The comparison of the graph with scikit-learn.

    Attributes
    ----------
    rows : dict of str to int
        The number of rows that were compared, by the reason for which they were chosen.
    refused : int
        The number of further rows that scikit-learn and the codec refused, or the codec alone where
        float64 cannot hold the number.
    labels : int
        The number of labels that were compared.
    max_difference : float
        The greatest difference of two scores: absolute up to a score of 1, relative above.
    tolerance : float
        The greatest difference that is accepted of any row.
    widened : int
        The number of rows of which more was accepted: the terms of their sums are so large that
        rounding alone explains the difference.
    undecidable : int
        The number of further labels, which were not compared: the score is within its tolerance of
        where the label changes, so that it depends on rounding.
    single_precision : float or None
        Of a network that was trained in float32: how far its own answers are from those compared
        here, which are computed in float64, on the rows of training; relative above 1.
    """

    rows: dict[str, int]
    refused: int
    labels: int
    max_difference: float
    tolerance: float
    widened: int = 0
    undecidable: int = 0
    single_precision: float | None = None


class Manifest(Document):
    """The description of a package; ``docs/package.md`` has a line for each member."""

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
    """A row as a client would send it, with the scores and labels of scikit-learn.

    Attributes
    ----------
    name : str
        Where the row came from, for error messages.
    row : dict
        Feature values by name.
    scores : tuple of float
        The scores of scikit-learn, float64, one for each class.
    labels : tuple of bool, int, float or str
        The labels of scikit-learn, one for each target; empty for a regressor.
    tolerance : float or None
        The greatest difference of a score that is accepted, absolute up to 1 and relative above;
        None for the usual one. It is more where the terms of a sum are so large that rounding alone
        can move it so far.
    """

    name: str
    row: dict[str, Scalar | None]
    scores: tuple[float, ...]
    labels: tuple[Scalar, ...] = ()
    tolerance: float | None = None
