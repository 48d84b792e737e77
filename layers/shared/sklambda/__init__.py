"""Score rows with a model package, with scikit-learn's own results.

`training` writes a model package; `Predictor` scores rows with it, without scikit-learn.

>>> from sklambda import Predictor, RowsInvalid
>>> predictor = Predictor.open("layers/model/package")
>>> row = predictor.package.signature.example
>>> [prediction] = predictor.predict([row])
>>> prediction.label in predictor.package.signature.target.classes
True
>>> list(prediction.probabilities)
['No', 'Yes']
>>> predictor.score([row, row]).shape
(2, 2)

A row holds every feature by name; None is a missing value. A row that does not fit the signature
is refused, with every fault by its place:

>>> try:
...     predictor.score([row | {"tenure": "twelve"}])
... except RowsInvalid as invalid:
...     print(invalid.faults[0].feature, invalid.faults[0].code)
tenure type
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklambda.decision import Prediction
    from sklambda.errors import (
        DocumentInvalid,
        Fault,
        FaultCode,
        InputRefused,
        ObjectReplaced,
        OutOfTime,
        PackageRefused,
        RowsInvalid,
        SettingsInvalid,
        SklambdaError,
        ValueRefused,
    )
    from sklambda.explain.explainer import Explanation
    from sklambda.package import ModelPackage
    from sklambda.predictor import Predictor
    from sklambda.signature import Feature, Signature, Target

__all__ = [
    "DocumentInvalid",
    "Explanation",
    "Fault",
    "FaultCode",
    "Feature",
    "InputRefused",
    "ModelPackage",
    "ObjectReplaced",
    "OutOfTime",
    "PackageRefused",
    "Prediction",
    "Predictor",
    "RowsInvalid",
    "SettingsInvalid",
    "Signature",
    "SklambdaError",
    "Target",
    "ValueRefused",
]

_MODULES = {
    "Explanation": "sklambda.explain.explainer",
    "Feature": "sklambda.signature",
    "ModelPackage": "sklambda.package",
    "Prediction": "sklambda.decision",
    "Predictor": "sklambda.predictor",
    "Signature": "sklambda.signature",
    "Target": "sklambda.signature",
}
"""Where a name of `__all__` is defined, unless in `sklambda.errors`."""

if not TYPE_CHECKING:  # with it, type checkers would admit any name

    def __getattr__(name: str) -> Any:
        """Import a public name at its first use; numpy and onnxruntime are not imported before."""
        if name not in __all__:
            raise AttributeError(f"module 'sklambda' has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(_MODULES.get(name, "sklambda.errors")), name)

    def __dir__() -> list[str]:
        """Return the public names, so that `help` and completion show them."""
        return [*globals(), *__all__]
