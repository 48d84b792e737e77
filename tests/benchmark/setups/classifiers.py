"""Set-ups of classification on columns of several types."""

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  # it enables the import
from sklearn.feature_selection import SelectFromModel, SelectKBest, SelectPercentile, chi2
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from tests.benchmark.setups.setup import NUMBERS, TEXTS, Fitted, fitted, prepared, setup
from tests.benchmark.setups.tables import customers, households, loans, passengers, sensors

MONEY = ["income", "amount"]
PORTS = make_pipeline(
    SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
)
ORDINAL = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)


@setup("passengers: imputed, scaled, one-hot; logistic regression")
def _() -> Fitted:
    steps = prepared(categories=PORTS)
    return fitted(make_pipeline(steps, LogisticRegression(max_iter=1000)), passengers())


@setup("passengers: a constant for missing strings, one-hot; logistic regression")
def _() -> Fitted:
    strings = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="missing"),
        OneHotEncoder(handle_unknown="ignore"),
    )
    model = LogisticRegression(max_iter=1000)
    return fitted(make_pipeline(prepared(categories=strings), model), passengers())


@setup("passengers: imputed, one-hot; random forest")
def _() -> Fitted:
    forest = RandomForestClassifier(100, random_state=0)
    return fitted(make_pipeline(prepared(SimpleImputer(strategy="median")), forest), passengers())


@setup("passengers: numbers alone, imputed with an indicator; extra trees")
def _() -> Fitted:
    trees = ExtraTreesClassifier(100, random_state=0)
    numbers = passengers().of("Pclass Age SibSp Parch Fare")
    return fitted(make_pipeline(SimpleImputer(add_indicator=True), trees), numbers)


@setup("passengers: ordinal categories, missing numbers left to HistGradientBoosting")
def _() -> Fitted:
    model = HistGradientBoostingClassifier(max_iter=60, random_state=0)
    return fitted(make_pipeline(prepared("passthrough", ORDINAL), model), passengers())


@setup("passengers: pandas categories in HistGradientBoosting (from_dtype)")
def _() -> Fitted:
    table = passengers()
    for name in ("Sex", "Embarked"):
        table.frame[name] = table.frame[name].astype("category")
    model = HistGradientBoostingClassifier(max_iter=60, random_state=0)
    return fitted(model, table)


@setup("passengers: KNNImputer, scaled; logistic regression")
def _() -> Fitted:
    numbers = make_pipeline(KNNImputer(n_neighbors=5), StandardScaler())
    return fitted(make_pipeline(prepared(numbers), LogisticRegression(max_iter=1000)), passengers())


@setup("passengers: IterativeImputer; random forest")
def _() -> Fitted:
    numbers = IterativeImputer(random_state=0)
    forest = RandomForestClassifier(50, random_state=0)
    return fitted(make_pipeline(prepared(numbers), forest), passengers())


@setup("passengers: family size and a flag by a function; gradient boosting")
def _() -> Fitted:
    def with_family(rows: pd.DataFrame) -> pd.DataFrame:
        rows = rows.copy()
        rows["Family"] = rows["SibSp"] + rows["Parch"] + 1
        rows["Alone"] = (rows["Family"] == 1).astype(int)
        return rows

    numbers = SimpleImputer(strategy="median")
    model = GradientBoostingClassifier(random_state=0)
    return fitted(
        make_pipeline(FunctionTransformer(with_family), prepared(numbers), model), passengers()
    )


@setup("passengers: soft voting of three models")
def _() -> Fitted:
    models = [
        ("linear", LogisticRegression(max_iter=1000)),
        ("forest", RandomForestClassifier(50, random_state=0)),
        ("neighbours", KNeighborsClassifier(15)),
    ]
    return fitted(make_pipeline(prepared(), VotingClassifier(models, voting="soft")), passengers())


@setup("passengers: hard voting of three models")
def _() -> Fitted:
    models = [
        ("linear", LogisticRegression(max_iter=1000)),
        ("tree", DecisionTreeClassifier(max_depth=5, random_state=0)),
        ("bayes", GaussianNB()),
    ]
    numbers = prepared(sparse_threshold=0)
    return fitted(make_pipeline(numbers, VotingClassifier(models)), passengers())


@setup("customers: one-hot, the first level dropped; logistic regression")
def _() -> Fitted:
    steps = prepared(StandardScaler(), OneHotEncoder(drop="first"))
    return fitted(make_pipeline(steps, LogisticRegression(max_iter=1000)), customers())


@setup("customers: one-hot with the rest passed through; random forest")
def _() -> Fitted:
    steps = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), TEXTS), remainder="passthrough"
    )
    return fitted(make_pipeline(steps, RandomForestClassifier(100, random_state=0)), customers())


@setup("customers: ordinal categories; decision tree")
def _() -> Fitted:
    tree = DecisionTreeClassifier(max_depth=6, random_state=0)
    return fitted(make_pipeline(prepared("passthrough", ORDINAL), tree), customers())


@setup("customers: target encoding; gradient boosting")
def _() -> Fitted:
    steps = prepared("passthrough", TargetEncoder(random_state=0))
    model = GradientBoostingClassifier(random_state=0)
    return fitted(make_pipeline(steps, model), customers())


@setup("customers: grid search of a whole pipeline")
def _() -> Fitted:
    pipeline = Pipeline([("prepare", prepared()), ("model", LogisticRegression(max_iter=1000))])
    search = GridSearchCV(pipeline, {"model__C": [0.1, 1.0, 10.0]}, cv=3)
    return fitted(search, customers())


@setup("customers: a tuned threshold; logistic regression")
def _() -> Fitted:
    table = customers()
    table = table.where((table.target == "Yes").astype(int))
    pipeline = make_pipeline(prepared(), LogisticRegression(max_iter=1000))
    tuned = TunedThresholdClassifierCV(pipeline, scoring="f1", cv=3, random_state=0)
    return fitted(tuned, table)


@setup("customers: stacking of a forest and a linear model")
def _() -> Fitted:
    models = [
        ("forest", RandomForestClassifier(50, random_state=0)),
        ("linear", LogisticRegression(max_iter=1000)),
    ]
    stack = StackingClassifier(models, LogisticRegression(), cv=3)
    return fitted(make_pipeline(prepared(), stack), customers())


@setup("customers: two targets; random forest")
def _() -> Fitted:
    table = customers()
    both = np.column_stack([(table.target == "Yes"), table.frame["tenure"] > 40]).astype(int)
    model = MultiOutputClassifier(RandomForestClassifier(30, random_state=0))
    return fitted(make_pipeline(prepared(), model), table.where(both))


@setup("customers: neural network")
def _() -> Fitted:
    model = MLPClassifier((32, 16), max_iter=300, random_state=0)
    return fitted(make_pipeline(prepared(), model), customers())


@setup("customers: support vectors, calibrated")
def _() -> Fitted:
    model = CalibratedClassifierCV(SVC(random_state=0), cv=3)
    return fitted(make_pipeline(prepared(), model), customers())


@setup("customers: AdaBoost")
def _() -> Fitted:
    steps = prepared("passthrough", OneHotEncoder(handle_unknown="ignore", sparse_output=False))
    return fitted(make_pipeline(steps, AdaBoostClassifier(random_state=0)), customers())


@setup("loans: log1p of money, scaled; logistic regression")
def _() -> Fitted:
    steps = make_column_transformer(
        (make_pipeline(FunctionTransformer(np.log1p), StandardScaler()), MONEY),
        (OneHotEncoder(handle_unknown="ignore"), ["grade", "home"]),
    )
    return fitted(make_pipeline(steps, LogisticRegression(max_iter=1000)), loans())


@setup("loans: log1p of money; random forest")
def _() -> Fitted:
    steps = make_column_transformer(
        (FunctionTransformer(np.log1p), MONEY),
        ("passthrough", ["term", "dti", "late_payments"]),
    )
    return fitted(make_pipeline(steps, RandomForestClassifier(100, random_state=0)), loans())


@setup("loans: log of money, scaled; HistGradientBoosting")
def _() -> Fitted:
    steps = make_column_transformer(
        (make_pipeline(FunctionTransformer(np.log), StandardScaler()), MONEY),
        (ORDINAL, ["grade", "home", "purpose"]),
        remainder="passthrough",
    )
    model = HistGradientBoostingClassifier(max_iter=60, random_state=0)
    return fitted(make_pipeline(steps, model), loans())


@setup("loans: Yeo-Johnson of numbers; gradient boosting")
def _() -> Fitted:
    numbers = make_column_transformer((PowerTransformer(), [*MONEY, "dti"]))
    model = GradientBoostingClassifier(random_state=0)
    return fitted(make_pipeline(numbers, model), loans())


@setup("loans: ratios by a function, robust scaling; logistic regression")
def _() -> Fitted:
    def with_burden(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(burden=rows["amount"] / rows["income"], monthly=rows["income"] / 12)

    numbers = make_pipeline(SimpleImputer(strategy="median"), RobustScaler())
    model = LogisticRegression(max_iter=2000)
    return fitted(
        make_pipeline(FunctionTransformer(with_burden), prepared(numbers), model), loans()
    )


@setup("loans: rare categories together (min_frequency); logistic regression")
def _() -> Fitted:
    rare = OneHotEncoder(min_frequency=20, handle_unknown="infrequent_if_exist")
    return fitted(
        make_pipeline(prepared(categories=rare), LogisticRegression(max_iter=1000)), loans()
    )


@setup("loans: bins, one-hot; logistic regression")
def _() -> Fitted:
    bins = KBinsDiscretizer(6, quantile_method="averaged_inverted_cdf")
    steps = make_column_transformer(
        (bins, [*MONEY, "dti"]), (OneHotEncoder(handle_unknown="ignore"), ["grade"])
    )
    return fitted(make_pipeline(steps, LogisticRegression(max_iter=1000)), loans())


@setup("loans: ordinal bins; decision tree")
def _() -> Fitted:
    bins = KBinsDiscretizer(10, encode="ordinal", quantile_method="averaged_inverted_cdf")
    tree = DecisionTreeClassifier(max_depth=8, random_state=0)
    return fitted(make_pipeline(bins, tree), loans().of("income amount dti term"))


@setup("loans: quantiles; linear support vectors")
def _() -> Fitted:
    numbers = make_pipeline(SimpleImputer(), QuantileTransformer(n_quantiles=100, random_state=0))
    return fitted(make_pipeline(prepared(numbers), LinearSVC(random_state=0)), loans())


@setup("loans: ordered grades, booleans; random forest, calibrated by isotonic regression")
def _() -> Fitted:
    steps = make_column_transformer(
        (OrdinalEncoder(categories=[list("ABCDEFG")]), ["grade"]),
        (OneHotEncoder(handle_unknown="ignore"), ["home"]),
        ("passthrough", ["income", "amount", "term", "has_guarantor"]),
    )
    forest = RandomForestClassifier(50, min_samples_leaf=5, random_state=0)
    model = CalibratedClassifierCV(forest, method="isotonic", cv=3)
    return fitted(make_pipeline(steps, model), loans())


@setup("loans: randomised search of HistGradientBoosting")
def _() -> Fitted:
    search = RandomizedSearchCV(
        HistGradientBoostingClassifier(max_iter=40, random_state=0),
        {"learning_rate": [0.05, 0.1, 0.2], "max_leaf_nodes": [7, 15, 31]},
        n_iter=3,
        cv=3,
        random_state=0,
    )
    return fitted(make_pipeline(prepared("passthrough", ORDINAL), search), loans())


@setup("loans: splines; logistic regression")
def _() -> Fitted:
    splines = make_pipeline(StandardScaler(), SplineTransformer(n_knots=5))
    return fitted(
        make_pipeline(splines, LogisticRegression(max_iter=1000)), loans().of("amount dti income")
    )


@setup("loans: bagged trees")
def _() -> Fitted:
    model = BaggingClassifier(DecisionTreeClassifier(max_depth=6), 30, random_state=0)
    return fitted(make_pipeline(prepared(SimpleImputer()), model), loans())


@setup("households: three classes; logistic regression")
def _() -> Fitted:
    return fitted(make_pipeline(prepared(), LogisticRegression(max_iter=1000)), households())


@setup("households: three classes; random forest")
def _() -> Fitted:
    forest = RandomForestClassifier(100, random_state=0)
    return fitted(make_pipeline(prepared(), forest), households())


@setup("households: three classes; HistGradientBoosting, its categories by position")
def _() -> Fitted:
    steps = make_column_transformer((ORDINAL, TEXTS), (StandardScaler(), NUMBERS))
    model = HistGradientBoostingClassifier(max_iter=30, categorical_features=[0, 1], random_state=0)
    return fitted(make_pipeline(steps, model), households())


@setup("households: polynomial features, percentile of them; logistic regression")
def _() -> Fitted:
    steps = make_pipeline(
        MinMaxScaler(), PolynomialFeatures(2, include_bias=False), SelectPercentile(percentile=50)
    )
    table = households().of("age education_years capital_gain hours_per_week")
    return fitted(make_pipeline(steps, LogisticRegression(max_iter=2000)), table)


@setup("households: the best columns by chi2; stochastic gradient descent")
def _() -> Fitted:
    model = SGDClassifier(loss="log_loss", random_state=0)
    steps = make_pipeline(prepared(MinMaxScaler(clip=True)), SelectKBest(chi2, k=8))
    return fitted(make_pipeline(steps, model), households())


@setup("sensors: scaled; ridge classifier")
def _() -> Fitted:
    return fitted(make_pipeline(StandardScaler(), RidgeClassifier()), sensors())


@setup("sensors: scaled, principal components; logistic regression")
def _() -> Fitted:
    return fitted(
        make_pipeline(StandardScaler(), PCA(0.95), LogisticRegression(max_iter=1000)), sensors()
    )


@setup("sensors: scaled; support vectors")
def _() -> Fitted:
    return fitted(make_pipeline(StandardScaler(), SVC(C=10)), sensors())


@setup("sensors: columns chosen by a forest; linear discriminant")
def _() -> Fitted:
    chosen = SelectFromModel(ExtraTreesClassifier(50, random_state=0))
    return fitted(make_pipeline(StandardScaler(), chosen, LinearDiscriminantAnalysis()), sensors())


@setup("sensors: whitened components; HistGradientBoosting")
def _() -> Fitted:
    model = HistGradientBoostingClassifier(max_iter=40, random_state=0)
    return fitted(
        make_pipeline(StandardScaler(), PCA(5, whiten=True, random_state=0), model), sensors()
    )
