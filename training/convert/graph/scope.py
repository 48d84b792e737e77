"""The scope of a conversion: the graph, the converters, and the place in the pipeline."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NoReturn

import numpy as np

from training.convert.graph.graph import Graph, Matrix
from training.convert.graph.outputs import Outputs
from training.convert.releases import release_of, retired_parameters, supported_releases
from training.convert.unconverted import explanation, named, qualified
from training.errors import ConversionRefused

type Estimator = Any  # scikit-learn ships no types
type Convert = Callable[[Estimator, Matrix, Scope], Matrix | Outputs]
type Code = Callable[[Any], Any]
type Follow = Callable[[Estimator, Matrix, Scope, Code | None], Matrix | Outputs]
type Converters = Mapping[type | str, Convert]
"""By class; a class of a library that training does not import by name, as "xgboost.XGBClassifier".
"""


CAST_BEFORE: Final = (
    "fit on float64, by frame.astype('float64'), or put FunctionTransformer(lambda table: "
    "table.astype('float64')) behind the step that makes float32"
)


def converter_of(estimator: Estimator, converters: Converters) -> Convert | None:
    """Return the converter of an estimator's class, None where there is none."""
    return converters.get(type(estimator)) or converters.get(named(estimator))


@dataclass(frozen=True, slots=True)
class Scope:
    """The scope of a conversion.

    Attributes
    ----------
    graph : Graph
        The graph that the nodes are added to.
    converters : mapping of type or str to Convert
        The estimators that can be converted; a subclass is another class.
    step : str
        The place in the pipeline, as ``preprocess > numbers > scale``.
    user_code : Follow or None
        Converts a transformer that runs the user's code; None where no rows are there to run it on.
    sparse : bool
        Whether scikit-learn's own matrix is sparse here: XGBoost takes its zeros for missing.
    """

    graph: Graph
    converters: Converters
    step: str = ""
    user_code: Follow | None = None
    sparse: bool = False

    def run(self, name: str, estimator: Estimator, matrix: Matrix) -> Matrix | Outputs:
        """Convert the inner step `name`, a transformer or a predictor.

        Raises
        ------
        ConversionRefused
            The estimator, or a parameter of it, has no exact conversion.
        """
        inner = self.inside(name)
        convert = converter_of(estimator, self.converters)
        if convert is None:
            result = inner.follow(estimator, matrix)
        elif getattr(getattr(estimator, "coef_", None), "dtype", None) == np.float32:
            # It adds float32 up, in an order of the processor's.
            inner.refuse(f"{qualified(estimator)} was fitted on float32: {CAST_BEFORE}")
        else:
            result = convert(estimator, matrix, inner)
        if isinstance(result, Matrix):
            self.graph.note(result)
        return result

    def follow(
        self, estimator: Estimator, matrix: Matrix, code: Code | None = None
    ) -> Matrix | Outputs:
        """Convert the present step by following code; raises what `run` does.

        Parameters
        ----------
        estimator : estimator
            The step.
        matrix : Matrix
            Its input.
        code : callable, optional
            Makes of a frame what the step's ``transform`` does; without it, the user's own code.
        """
        if self.user_code is None or not (code or self._runs_user_code(estimator)):
            self.refuse(explanation(estimator))
        return self.user_code(estimator, matrix, self, code)

    def _runs_user_code(self, estimator: Estimator) -> bool:
        is_own = not type(estimator).__module__.startswith("sklearn.")
        transforms = hasattr(estimator, "transform") and not hasattr(estimator, "predict")
        return self.user_code is not None and (
            (is_own and transforms) or callable(getattr(estimator, "func", None))
        )

    def inside(self, name: str) -> "Scope":
        """Return the scope of the inner step `name`."""
        return replace(self, step=f"{self.step} > {name}" if self.step else name)

    def unconverted(self, steps: Iterable[tuple[str, Estimator]]) -> list[ConversionRefused]:
        """Return the refusals of inner steps whose class alone has no conversion."""
        return [
            ConversionRefused(self.inside(name).step, explanation(step))
            for name, step in steps
            if hasattr(step, "fit")
            and converter_of(step, self.converters) is None
            and not self._runs_user_code(step)
        ]

    def transform(self, name: str, estimator: Estimator, matrix: Matrix) -> Matrix:
        """Convert the step `name` as a transformer; raises what `run` does."""
        result = self.run(name, estimator, matrix)
        found = result.transformed if isinstance(result, Outputs) else result
        if found is None:
            self.refuse(f"{name} is not a transformer: put it last, or leave it out")
        return found

    def predict(self, name: str, estimator: Estimator, matrix: Matrix) -> Outputs:
        """Convert the step `name` as a predictor; raises what `run` does."""
        result = self.run(name, estimator, matrix)
        if not isinstance(result, Outputs):
            self.refuse(f"{name} is not a predictor: put a classifier or a regressor there")
        return result

    def each[T](self, makers: Iterable[Callable[[], T]]) -> list[T]:
        """Return what each of some independent conversions makes.

        Raises
        ------
        ConversionRefused
            Holds the refusals of all of them.
        """
        made, refusals = [], list[ConversionRefused]()
        for make in makers:
            try:
                made.append(make())
            except ConversionRefused as refused:
                refusals += refused.each
        if refusals:
            raise joined(refusals)
        return made

    @property
    def is_inner(self) -> bool:
        """Whether the place is inside of a step, where other columns may stand beside it."""
        return " > " in self.step

    def refuse(self, reason: str) -> NoReturn:
        """Refuse the present step."""
        raise ConversionRefused(self.step, reason)

    def admit(
        self,
        estimator: Estimator,
        *,
        free: str | None = None,
        only: Mapping[str, tuple[object, ...]] | None = None,
    ) -> None:
        """Refuse the present step unless each of its parameters is covered by the conversion.

        Parameters
        ----------
        estimator : estimator
            The step.
        free : str or None
            Names of the parameters that may have any value: their effect is in the fitted
            attributes, or in the converter, or changes no output. None for all but `only`: of a
            library that hands what it does not know on to fitting, and predicts by what it stored.
        only : mapping of str to tuple
            Parameters that may have these values only.
        """
        retired = retired_parameters(estimator)
        allowed = {name: values for name, values in retired.items() if values is not None}
        allowed |= only or {}
        known = None if free is None else {*free.split(), *retired, *allowed}
        for name, value in estimator.get_params(deep=False).items():
            if known is not None and name not in known:
                self.refuse(
                    f"{qualified(estimator)} of {release_of(estimator)} has an unknown parameter "
                    f"{name!r}: fit it with {supported_releases(estimator)}, which this release "
                    "of sklambda knows"
                )
            if name in allowed and not any(_same(value, choice) for choice in allowed[name]):
                self.refuse(
                    f"{qualified(estimator)}({name}={shown(value)}) has no exact conversion: "
                    f"{_choose(name, allowed[name])}"
                )


def joined(refusals: Sequence[ConversionRefused]) -> ConversionRefused:
    """Return one refusal that holds some; the same step and reason count once."""
    first, *others = {(each.step, each.reason): each for each in refusals}.values()
    return type(first)(first.step, first.reason, *others)


def _choose(name: str, choices: Sequence[object]) -> str:
    """Return the advice to use a parameter's other values; of many, the first."""
    written = [f"{name}={shown(choice)}" for choice in choices[:_MOST_CHOICES]]
    more = " and others" if len(choices) > _MOST_CHOICES else ""
    return f"use {' or '.join(written)}{more}" if written else f"leave {name} out"


_MOST_CHOICES: Final = 6


def _same(value: object, choice: object) -> bool:
    both_nan = value != value and choice != choice
    return both_nan or (type(value) is type(choice) and value == choice)


def shown(value: object) -> str:
    """Return a parameter's value as its user wrote it: of a function or a class the name."""
    name = getattr(value, "__name__", None)
    return name if isinstance(name, str) else repr(value)
