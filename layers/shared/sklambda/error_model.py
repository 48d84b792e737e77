"""What a regressor's errors will be: a second model predicts them, of rows without an outcome."""

from typing import Self

from sklambda.arrays import FloatMatrix
from sklambda.errors import PackageRefused
from sklambda.package import ERROR_MODEL, ModelPackage
from sklambda.session import Session
from sklambda.sketch.baseline import ErrorReference
from sklambda.sketch.sketch import Column
from sklambda.sketch.sketcher import count_numbers


class ErrorModel:
    """Predicts absolute errors, and counts them.

    Parameters
    ----------
    session : Session
        From encoded rows to the absolute error of each value.
    errors : dict of str to ErrorReference
        As the baseline has them, in the order of the graph's columns.
    """

    def __init__(self, session: Session, errors: dict[str, ErrorReference]) -> None:
        self._session, self._errors = session, errors

    @classmethod
    def open(cls, package: ModelPackage) -> Self | None:
        """Open that of a package; gives None where it has none, as all that are no regressors.

        Raises
        ------
        PackageRefused
            The file is damaged, or at odds with the baseline.
        """
        content, baseline = package.error_model, package.baseline
        if content is None or baseline is None:
            return None
        session = Session(content)
        found = session.width, session.classes
        if found != (package.signature.width, len(baseline.errors)):
            raise PackageRefused(f"{package.path / ERROR_MODEL} is that of another model")
        return cls(session, baseline.errors)

    def predict(self, X: FloatMatrix) -> FloatMatrix:
        """Predict the absolute errors of encoded rows [N, K]; gives [N, values]."""
        return self._session.run(X)

    def count(self, X: FloatMatrix) -> dict[str, Column]:
        """Count what is predicted of encoded rows [N, K], by the name of the value."""
        predicted = self.predict(X)
        return {
            name: count_numbers(error.reference.ruler, predicted[:, place])
            for place, (name, error) in enumerate(self._errors.items())
        }
