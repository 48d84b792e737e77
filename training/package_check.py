"""Whether a written package can be served: it is opened afresh and replayed by what serves it."""

from pathlib import Path

from sklambda.error_model import ErrorModel
from sklambda.predictor import Predictor
from training.errors import ParityFailed


def check(path: Path) -> Predictor:
    """Open the package at `path`, replay its golden rows, and read what is read later.

    Raises
    ------
    PackageRefused
        The package is absent or damaged, or its signature refuses a golden row.
    ParityFailed
        The scores or labels of a golden row differ from scikit-learn's; names the row. Or there is
        no golden row.
    """
    predictor = Predictor.open(path)
    if not predictor.package.golden:
        reason = "there is none, so nothing shows that the scores are scikit-learn's: export again"
        raise ParityFailed("golden rows", reason)
    mismatch = predictor.replay()
    if mismatch is not None:
        difference = f"the scores differ by {mismatch.difference:.3g}"
        raise ParityFailed("golden rows", f"{mismatch.name}: {difference}, or the labels do")
    package = predictor.package
    if predictor.explains:
        _ = predictor.explainer
    _ = package.baseline
    ErrorModel.open(package)
    return predictor
