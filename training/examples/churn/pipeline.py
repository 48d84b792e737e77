"""The example's pipeline: nothing in it is special to churn, so it fits most tables."""

from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def build(model: str = "hist_gradient_boosting", seed: int = 7) -> Pipeline:
    """Return the unfitted pipeline.

    Parameters
    ----------
    model
        ``hist_gradient_boosting`` or ``logistic_regression``.
    seed
        What the model's own randomness starts from.

    Raises
    ------
    ValueError
        If there is no such model.
    """
    models = {
        "hist_gradient_boosting": HistGradientBoostingClassifier(random_state=seed),
        "logistic_regression": LogisticRegression(max_iter=1000),
    }
    if model not in models:
        raise ValueError(f"model must be one of {', '.join(models)}")
    return Pipeline([("prepare", _prepare()), ("model", models[model])])


def _prepare() -> ColumnTransformer:
    numbers = Pipeline([("impute", SimpleImputer(strategy="median")), ("scale", StandardScaler())])
    categories = Pipeline(
        [
            ("impute", SimpleImputer(strategy="most_frequent")),
            ("encode", OneHotEncoder(handle_unknown="ignore", sparse_output=False)),
        ]
    )
    return ColumnTransformer(
        [
            ("numbers", numbers, make_column_selector(dtype_include="number")),
            ("categories", categories, make_column_selector(dtype_exclude="number")),
        ]
    )
