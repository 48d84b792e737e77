"""The error model of a package: predicts the absolute errors of a regressor."""

from typing import Self

from sklambda.arrays import FloatMatrix
from sklambda.errors import PackageRefused
from sklambda.package import ERROR_MODEL, ModelPackage
from sklambda.session import Session
from sklambda.sketch.baseline import ErrorReference
from sklambda.sketch.sketch import Histogram
from sklambda.sketch.sketcher import count_numbers


class ErrorModel:
    """Predicts absolute errors and counts them.

    Parameters
    ----------
    session : Session
        The graph from encoded rows to the absolute error of each value.
    errors : dict of str to ErrorReference
        The references of the baseline, in the order of the columns of the graph.
    """

    def __init__(self, session: Session, errors: dict[str, ErrorReference]) -> None:
        self._session, self._errors = session, errors

    @classmethod
    def open(cls, package: ModelPackage) -> Self | None:
        """Open the error model of a package; returns None where the package has none.

        Raises
        ------
        PackageRefused
            The file is damaged, or does not fit the baseline.
        """
        content, baseline = package.error_model, package.baseline
        if content is None or baseline is None:
            return None
        session = Session(content)
        found = session.width, session.classes
        if found != (package.signature.width, len(baseline.errors)):
            raise PackageRefused(f"{package.path / ERROR_MODEL} belongs to another model")
        return cls(session, baseline.errors)

    def predict(self, X: FloatMatrix) -> FloatMatrix:
        """Predict the absolute errors of encoded rows [N, K]; returns [N, values]."""
        return self._session.run(X)

    def count(self, X: FloatMatrix) -> dict[str, Histogram]:
        """Count the predicted errors of encoded rows [N, K], by the name of the value."""
        predicted = self.predict(X)
        return {
            name: count_numbers(error.reference.ruler, predicted[:, place])
            for place, (name, error) in enumerate(self._errors.items())
        }
