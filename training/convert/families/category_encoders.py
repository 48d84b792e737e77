"""category_encoders: tables from a category to numbers."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from training.convert.graph.graph import Matrix
from training.convert.graph.scope import Convert, Estimator, Scope
from training.convert.graph.tables import Encoder, tabulated
from training.convert.unconverted import named


def _encoder(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    # What the parameters say is in the fitted mapping, or its transform does it.
    _refuse_functions(estimator, scope)
    return _tabulated(estimator, estimator, matrix, scope)


def _of_several(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    several = getattr(estimator, "encoder_list", None)  # SummaryEncoder's
    inner = [*estimator.feature_encoders.values()] if several is None else several
    for each in inner:
        _refuse_functions(each, scope)
    return _tabulated(estimator, inner[0], matrix, scope)


def _nested(estimator: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    # Its folds encode the rows of fitting; all others it leaves to one encoder.
    return scope.transform("feature_encoder", estimator.feature_encoder, matrix)


def _refuse_functions(estimator: Estimator, scope: Scope) -> None:
    for name in ("handle_unknown", "handle_missing"):
        if callable(getattr(estimator, name, None)):
            scope.refuse(
                f"{named(estimator)}({name}=<a function>) may tell unseen categories apart: use "
                f"{name}='value' or a number"
            )


def _by_spelling(estimator: Estimator, _: Matrix, scope: Scope) -> Matrix:
    scope.refuse(
        f"{named(estimator)} encodes categories that it never met by how they are written, which "
        "no table holds: use category_encoders.TargetEncoder or BinaryEncoder instead"
    )


def _tabulated(estimator: Estimator, fitted: Estimator, matrix: Matrix, scope: Scope) -> Matrix:
    """Convert an encoder by its table, whose columns and categories the `fitted` one knows."""
    if fitted.composite_members_:
        scope.refuse(
            f"{named(estimator)}(composite_cols=...) encodes several columns together: join them "
            "in the data, to one column of categories"
        )
    names = list(fitted.feature_names_in_)
    if hasattr(estimator, "feature_encoders"):  # PolynomialWrapper does not name what it makes
        others = [name for name in names if name not in fitted.cols]
        made = [
            *others,
            *((each, name) for each in estimator.feature_encoders for name in fitted.cols),
        ]
    else:
        made = list(estimator.feature_names_out_)
    encoder = Encoder(
        named(estimator),
        estimator.transform,
        names,
        fitted.feature_dtypes_in_,
        matrix.vocabularies,
        {names.index(column): [*_known(fitted, column)] for column in fitted.cols},
        made,
    )
    return tabulated(encoder, matrix, scope)


def _known(estimator: Estimator, column: Any) -> Iterator[object]:
    """Yield the categories of one column that fitting met."""
    lumped = getattr(estimator, "min_group_lumping_", {})
    yield from lumped.get(column, ())
    inner = getattr(estimator, "ordinal_encoder", None)
    mapping = estimator.mapping if inner is None else inner.mapping
    if isinstance(mapping, dict):
        yield from mapping[column].index
        return
    for each in mapping:
        if each["col"] == column:
            yield from each["mapping"].index


_TABLES: Final = (
    "BackwardDifferenceEncoder BaseNEncoder BinaryEncoder CatBoostEncoder CountEncoder "
    "CountTargetEncoder GLMMEncoder GrayEncoder HelmertEncoder JamesSteinEncoder "
    "LeaveOneOutEncoder MEstimateEncoder OneHotEncoder OrdinalEncoder PolynomialEncoder "
    "QuantileEncoder RankHotEncoder SumEncoder TargetEncoder WOEEncoder"
)

CONVERTERS: Final[Mapping[str, Convert]] = {
    **dict.fromkeys((f"category_encoders.{name}" for name in _TABLES.split()), _encoder),
    "category_encoders.HashingEncoder": _by_spelling,
    "category_encoders.MultiHotEncoder": _by_spelling,
    "category_encoders.NestedCVWrapper": _nested,
    "category_encoders.PolynomialWrapper": _of_several,
    "category_encoders.SummaryEncoder": _of_several,
}
