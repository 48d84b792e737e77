"""The estimators of scikit-learn without an exact conversion: why, and what to use instead."""

from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

type Estimator = Any  # scikit-learn ships no types


@dataclass(frozen=True, slots=True)
class Unconverted:
    """Estimators that are refused for one reason.

    Attributes
    ----------
    names : tuple of str
        Names of classes of scikit-learn.
    reason : str
        Why there is no exact conversion, as a clause whose subject is the estimator.
    remedy : str
        The next step of its user.
    open : bool
        Whether an exact conversion may come; the others have none by their nature.
    """

    names: tuple[str, ...]
    reason: str
    remedy: str
    open: bool = False


UNCONVERTED: Final = (
    Unconverted(
        ("LabelBinarizer", "LabelEncoder"),
        "it encodes the target, not features",
        "leave it out, since classifiers encode their labels themselves, and encode features by "
        "OneHotEncoder or OrdinalEncoder",
    ),
    Unconverted(
        ("MultiLabelBinarizer",),
        "its input is lists of labels, which no column of a table holds",
        "make a boolean column of each label before fitting",
    ),
    Unconverted(
        ("PatchExtractor",),
        "its input is images",
        "extract the features before fitting, as columns of a table",
    ),
    Unconverted(
        ("FeatureHasher",),
        "its hash of keys has no vocabulary",
        "use DictVectorizer, or OneHotEncoder(handle_unknown='ignore') in a ColumnTransformer",
        open=True,
    ),
    Unconverted(
        ("MiniBatchNMF", "NMF"),
        "it iterates until a whole batch has converged, so that a row's result depends on the rows "
        "beside it",
        "use PCA or TruncatedSVD",
    ),
    Unconverted(
        ("MiniBatchSparsePCA", "SparsePCA"),
        "it transforms a lone row to a vector, on which the next step fails",
        "use PCA or TruncatedSVD",
    ),
    Unconverted(
        ("PLSSVD",),
        "it transforms to pairs of matrices where there is a target, so that no step can follow",
        "use PLSRegression, or PCA",
    ),
    Unconverted(
        ("PolynomialCountSketch",),
        "it multiplies by Fourier transforms, for which there is no converter yet",
        "use Nystroem(kernel='poly') or PolynomialFeatures",
        open=True,
    ),
    Unconverted(
        ("RadiusNeighborsRegressor",),
        "its value of a row without a neighbour is no number",
        "use KNeighborsRegressor",
    ),
    Unconverted(
        ("LatentDirichletAllocation",),
        "it iterates until a row's topics change by less than max_doc_update_tol, and rounding "
        "decides when that is",
        "use TruncatedSVD behind TfidfVectorizer",
    ),
    Unconverted(
        ("KNeighborsTransformer", "RadiusNeighborsTransformer"),
        "it has a column for each training row",
        "use KNeighborsClassifier or KNeighborsRegressor in its place and that of the next step",
    ),
    Unconverted(
        # numpy's argpartition takes those that the vector registers of the processor bring to the
        # front: scikit-learn itself fills in other values elsewhere.
        ("KNNImputer",),
        "it chooses among donors at equal distances differently on other processors",
        "use IterativeImputer, or SimpleImputer(add_indicator=True)",
    ),
    Unconverted(
        ("Isomap", "LocallyLinearEmbedding"),
        "it places a row by its neighbours, which it solves a system of equations for",
        "use PCA, KernelPCA or NeighborhoodComponentsAnalysis",
    ),
    Unconverted(
        (
            "AgglomerativeClustering",
            "ClassicalMDS",
            "DBSCAN",
            "HDBSCAN",
            "MDS",
            "OPTICS",
            "SpectralBiclustering",
            "SpectralClustering",
            "SpectralCoclustering",
            "SpectralEmbedding",
            "TSNE",
        ),
        "it has an answer only for the rows that it was fitted on",
        "use KMeans or Birch for clusters, PCA for coordinates",
    ),
    Unconverted(
        (
            "EmpiricalCovariance",
            "GraphicalLasso",
            "GraphicalLassoCV",
            "KernelDensity",
            "LedoitWolf",
            "MinCovDet",
            "NearestNeighbors",
            "OAS",
            "ShrunkCovariance",
        ),
        "it describes the data and does not predict",
        "use EllipticEnvelope, LocalOutlierFactor(novelty=True) or GaussianMixture",
    ),
)
"""Each class that `sklearn.utils.all_estimators` lists and no family converts, once."""

BY_NAME: Final = {name: group for group in UNCONVERTED for name in group.names}


def qualified(estimator: Estimator) -> str:
    """Return the name of an estimator's class as users import it, with its module."""
    kind = type(estimator)
    public = takewhile(lambda part: not part.startswith("_"), kind.__module__.split("."))
    return ".".join([*public, kind.__qualname__])


def named(estimator: Estimator) -> str:
    """Return the name of an estimator's class with its package alone, as converters name it.

    In which of a library's modules a class is defined changes.
    """
    return f"{package(estimator)}.{type(estimator).__qualname__}"


def package(estimator: Estimator) -> str:
    """Return the name of the library that an estimator's class is of."""
    return type(estimator).__module__.partition(".")[0]


def explanation(estimator: Estimator) -> str:
    """Return why an estimator has no exact conversion and what to do, as the end of a sentence."""
    name = type(estimator).__name__
    if type(estimator).__module__.startswith("sklearn.") and name in BY_NAME:
        group = BY_NAME[name]
        return f"{qualified(estimator)} has no exact conversion, because {group.reason}: " + (
            group.remedy
        )
    return f"{qualified(estimator)} has no exact conversion: use an estimator of docs/estimators.md"
