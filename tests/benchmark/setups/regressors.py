"""Set-ups of regression."""

import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import ElasticNetCV, LassoCV, LinearRegression, PoissonRegressor, Ridge
from sklearn.multioutput import RegressorChain
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    StandardScaler,
)
from sklearn.svm import SVR

from tests.benchmark.setups.setup import NUMBERS, Fitted, fitted, prepared, setup
from tests.benchmark.setups.tables import houses, rentals

CONDITIONS = ["poor", "fair", "good", "excellent"]


@setup("houses: imputed, scaled, one-hot; ridge")
def _() -> Fitted:
    return fitted(make_pipeline(prepared(), Ridge()), houses())


@setup("houses: ordered conditions, one-hot towns; random forest")
def _() -> Fitted:
    steps = make_column_transformer(
        (OrdinalEncoder(categories=[CONDITIONS]), ["condition"]),
        (OneHotEncoder(handle_unknown="ignore"), ["town"]),
        (SimpleImputer(), NUMBERS),
    )
    return fitted(make_pipeline(steps, RandomForestRegressor(100, random_state=0)), houses())


@setup("houses: the logarithm of the price; random forest")
def _() -> Fitted:
    forest = make_pipeline(prepared(), RandomForestRegressor(100, random_state=0))
    return fitted(
        TransformedTargetRegressor(forest, func=np.log1p, inverse_func=np.expm1), houses()
    )


@setup("houses: the standardised price; support vectors")
def _() -> Fitted:
    model = TransformedTargetRegressor(SVR(C=10), transformer=StandardScaler())
    return fitted(make_pipeline(prepared(), model), houses())


@setup("houses: missing numbers left to HistGradientBoosting")
def _() -> Fitted:
    towns = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    model = HistGradientBoostingRegressor(max_iter=80, random_state=0)
    return fitted(make_pipeline(prepared("passthrough", towns), model), houses())


@setup("houses: log1p of areas; gradient boosting (huber)")
def _() -> Fitted:
    steps = make_column_transformer(
        (FunctionTransformer(np.log1p), ["area", "lot"]),
        (OneHotEncoder(handle_unknown="ignore"), ["town"]),
        ("passthrough", ["rooms", "built", "latitude", "longitude"]),
    )
    model = GradientBoostingRegressor(loss="huber", random_state=0)
    return fitted(make_pipeline(steps, model), houses())


@setup("houses: polynomial features; elastic net")
def _() -> Fitted:
    steps = make_pipeline(StandardScaler(), PolynomialFeatures(2))
    table = houses().of("area rooms built latitude longitude")
    return fitted(make_pipeline(steps, ElasticNetCV(cv=3, random_state=0)), table)


@setup("houses: unscaled numbers; linear regression")
def _() -> Fitted:
    table = houses().of("area lot rooms built latitude longitude")
    return fitted(LinearRegression(), table)


@setup("houses: coordinates alone; nearest neighbours")
def _() -> Fitted:
    table = houses().of("latitude longitude")
    return fitted(make_pipeline(StandardScaler(), KNeighborsRegressor(7)), table)


@setup("houses: stacking of a forest and a linear model")
def _() -> Fitted:
    models = [("forest", ExtraTreesRegressor(50, random_state=0)), ("lasso", LassoCV(cv=3))]
    return fitted(make_pipeline(prepared(), StackingRegressor(models, Ridge(), cv=3)), houses())


@setup("houses: age of the house and area of a room by a function; extra trees")
def _() -> Fitted:
    def with_age(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(age=2026 - rows["built"], room=rows["area"] / rows["rooms"])

    steps = make_pipeline(FunctionTransformer(with_age), prepared(SimpleImputer()))
    return fitted(make_pipeline(steps, ExtraTreesRegressor(100, random_state=0)), houses())


@setup("houses: two prices; random forest")
def _() -> Fitted:
    table = houses()
    both = np.column_stack([table.target, table.target / table.frame["area"]])
    model = RandomForestRegressor(50, random_state=0)
    return fitted(make_pipeline(prepared(), model), table.where(both))


@setup("houses: a chain of two prices; ridge")
def _() -> Fitted:
    table = houses()
    both = np.column_stack([table.target, table.target / table.frame["area"]])
    return fitted(make_pipeline(prepared(), RegressorChain(Ridge())), table.where(both))


@setup("rentals: sine and cosine of the hour; Poisson regression")
def _() -> Fitted:
    hours = make_column_transformer(
        (FunctionTransformer(lambda hour: np.sin(hour / 24 * 2 * np.pi)), ["hour"]),
        (FunctionTransformer(lambda hour: np.cos(hour / 24 * 2 * np.pi)), ["hour"]),
        (OneHotEncoder(handle_unknown="ignore"), ["season", "weather"]),
        (StandardScaler(), ["temperature", "humidity", "wind"]),
    )
    return fitted(make_pipeline(hours, PoissonRegressor(max_iter=500)), rentals())


@setup("rentals: hours and months one-hot; ridge of the logarithm")
def _() -> Fitted:
    steps = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["hour", "month", "season", "weather"]),
        (StandardScaler(), ["temperature", "humidity", "wind"]),
        ("passthrough", ["holiday"]),
    )
    model = TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1)
    return fitted(make_pipeline(steps, model), rentals())


@setup("rentals: seasons one-hot; HistGradientBoosting with Poisson loss")
def _() -> Fitted:
    steps = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["season", "weather"]), remainder="passthrough"
    )
    model = HistGradientBoostingRegressor(loss="poisson", max_iter=60, random_state=0)
    return fitted(make_pipeline(steps, model), rentals())


@setup("rentals: scaled; neural network")
def _() -> Fitted:
    model = MLPRegressor(hidden_layer_sizes=(64,), max_iter=500, random_state=0)
    return fitted(make_pipeline(prepared(), model), rentals())


@setup("rentals: voting of boosting and a linear model")
def _() -> Fitted:
    models = [("boosted", GradientBoostingRegressor(random_state=0)), ("linear", Ridge())]
    return fitted(make_pipeline(prepared(), VotingRegressor(models)), rentals())
