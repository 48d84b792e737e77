"""Tables with the columns of well-known public data sets, drawn from a fixed seed.

Nothing of any data set is here: names of columns, types, missing cells and shapes of distributions
are as people meet them, and the values are drawn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LEARNT: Final = 500
HELD_OUT: Final = 250
ROWS: Final = LEARNT + HELD_OUT

WORDS: Final = """
battery broke after two weeks and the seller never answered fast shipping great screen love it would
buy again poor quality returned works as described cheap plastic smell excellent value my kids enjoy
arrived late box damaged not worth money perfect fit warm soft easy to clean noisy motor stopped
charging highly recommend disappointed refund
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of `ROWS` rows with a target.

    Attributes
    ----------
    frame : DataFrame
        Shape [N, K].
    target : array
        Shape [N] or [N, L].
    """

    frame: pd.DataFrame
    target: NDArray[Any]

    @property
    def learnt(self) -> tuple[pd.DataFrame, NDArray[Any]]:
        """The rows to fit on."""
        return self.frame.head(LEARNT), self.target[:LEARNT]

    @property
    def held_out(self) -> pd.DataFrame:
        """The other rows."""
        return self.frame.iloc[LEARNT:].reset_index(drop=True)

    def of(self, columns: str | Sequence[str]) -> "Table":
        """Return the table with some of its columns, in a list or separated by blanks."""
        names = columns.split() if isinstance(columns, str) else [*columns]
        return Table(self.frame[names], self.target)

    def where(self, target: NDArray[Any]) -> "Table":
        """Return the table with another target."""
        return Table(self.frame, target)


type Draw = Callable[[], Table]


def passengers() -> Table:
    """Draw passengers of a ship: ages missing, a port missing now and then, skewed fares."""
    draw = np.random.default_rng(101)
    frame = pd.DataFrame(
        {
            "Pclass": draw.choice([1, 2, 3], ROWS, p=[0.24, 0.21, 0.55]),
            "Sex": draw.choice(["male", "female"], ROWS, p=[0.65, 0.35]),
            "Age": _holed(draw, np.round(draw.gamma(6, 5, ROWS)), 0.2),
            "SibSp": draw.choice(6, ROWS, p=[0.68, 0.2, 0.05, 0.03, 0.03, 0.01]),
            "Parch": draw.choice(4, ROWS, p=[0.76, 0.13, 0.09, 0.02]),
            "Fare": np.round(draw.lognormal(2.9, 1, ROWS), 4),
            "Embarked": draw.choice(["S", "C", "Q"], ROWS, p=[0.72, 0.19, 0.09]),
        }
    )
    frame.loc[draw.random(ROWS) < 0.02, "Embarked"] = np.nan
    signal = 2.2 * (frame["Sex"] == "female") - 0.9 * frame["Pclass"] + frame["Fare"] / 80
    return Table(frame, _yes(draw, signal + 0.4))


def customers() -> Table:
    """Draw customers of a telecom company: many categories, three numbers, none missing."""
    draw = np.random.default_rng(102)
    frame = pd.DataFrame(
        {
            "SeniorCitizen": draw.choice(2, ROWS, p=[0.84, 0.16]),
            "Dependents": draw.choice(["Yes", "No"], ROWS),
            "tenure": draw.integers(0, 73, ROWS),
            "InternetService": draw.choice(["DSL", "Fiber optic", "No"], ROWS),
            "Contract": draw.choice(
                ["Month-to-month", "One year", "Two year"], ROWS, p=[0.55, 0.21, 0.24]
            ),
            "PaymentMethod": draw.choice(
                ["Bank transfer (automatic)", "Electronic check", "Mailed check"], ROWS
            ),
            "MonthlyCharges": np.round(draw.uniform(18, 120, ROWS), 2),
        }
    )
    frame["TotalCharges"] = np.round(frame["tenure"] * frame["MonthlyCharges"], 2)
    monthly = frame["Contract"] == "Month-to-month"
    signal = 1.6 * monthly + frame["MonthlyCharges"] / 60 - frame["tenure"] / 20
    churned = np.where(_yes(draw, signal - 0.8), "Yes", "No").astype(object)
    return Table(frame, churned)


def loans() -> Table:
    """Draw applications for credit: money over four decades, grades, flags, gaps in employment."""
    draw = np.random.default_rng(103)
    frame = pd.DataFrame(
        {
            "income": np.round(draw.lognormal(10.7, 0.7, ROWS), 2),
            "amount": np.round(draw.lognormal(9, 0.8, ROWS), -2),
            "term": draw.choice([36, 60], ROWS, p=[0.7, 0.3]),
            "grade": draw.choice(
                list("ABCDEFG"), ROWS, p=[0.2, 0.28, 0.25, 0.15, 0.08, 0.03, 0.01]
            ),
            "home": draw.choice(["MORTGAGE", "OWN", "RENT"], ROWS),
            "purpose": draw.choice(_PURPOSES, ROWS, p=_falling(len(_PURPOSES))),
            "years_employed": _holed(draw, draw.integers(0, 35, ROWS).astype(float), 0.08),
            "dti": np.round(draw.gamma(3, 6, ROWS), 2),
            "late_payments": draw.poisson(0.4, ROWS),
            "has_guarantor": draw.random(ROWS) < 0.15,
        }
    )
    burden = np.log(frame["amount"] / frame["income"])
    signal = burden + frame["late_payments"] + frame["dti"] / 25 + 1.2
    return Table(frame, _yes(draw, signal))


_PURPOSES: Final = (
    "debt_consolidation", "credit_card", "home_improvement", "major_purchase", "medical", "car",
    "vacation", "moving", "wedding", "renewable_energy",
)  # fmt: skip


def households() -> Table:
    """Draw people of a census: a number that is mostly 0, and three classes of income."""
    draw = np.random.default_rng(104)
    frame = pd.DataFrame(
        {
            "age": draw.integers(17, 90, ROWS),
            "workclass": draw.choice(["Private", "Self-emp", "Government", "?"], ROWS),
            "education": draw.choice(["HS-grad", "Some-college", "Bachelors", "Masters"], ROWS),
            "education_years": draw.integers(4, 17, ROWS),
            "capital_gain": np.where(draw.random(ROWS) < 0.1, draw.integers(100, 99_999, ROWS), 0),
            "hours_per_week": draw.choice([20, 35, 40, 45, 50, 60], ROWS),
        }
    )
    signal = frame["education_years"] / 4 + frame["age"] / 40 + frame["capital_gain"] / 2e4
    noisy = signal + draw.normal(0, 0.7, ROWS)
    places = np.digitize(noisy, np.quantile(noisy, [0.5, 0.8]))
    return Table(frame, np.array(["low", "middle", "high"], dtype=object)[places])


def flowers() -> Table:
    """Draw flowers of three kinds, measured to a millimetre."""
    draw = np.random.default_rng(105)
    kinds = draw.integers(0, 3, ROWS)
    centres = np.array([[5.0, 3.4, 1.5, 0.2], [5.9, 2.8, 4.3, 1.3], [6.6, 3.0, 5.5, 2.0]])
    values = np.round(draw.normal(centres[kinds], [0.4, 0.3, 0.4, 0.2]), 1)
    names = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
    return Table(pd.DataFrame(np.maximum(values, 0.1), columns=names), kinds)


def sensors() -> Table:
    """Draw readings of a machine: twelve numbers of very different sizes, and rare failures."""
    draw = np.random.default_rng(106)
    latent = draw.normal(size=(ROWS, 4))
    scales = 10.0 ** draw.uniform(-3, 5, 12)
    values = (latent @ draw.normal(size=(4, 12)) + draw.normal(0, 0.5, (ROWS, 12))) * scales
    frame = pd.DataFrame(values + 3 * scales, columns=[f"s{place:02d}" for place in range(12)])
    return Table(frame, _yes(draw, 1.5 * latent[:, 0] - latent[:, 1] - 1))


def houses() -> Table:
    """Draw houses with their prices: areas, years, towns, a garage that some have not."""
    draw = np.random.default_rng(107)
    frame = pd.DataFrame(
        {
            "area": np.round(draw.lognormal(4.5, 0.4, ROWS), 1),
            "lot": np.round(draw.lognormal(6, 0.9, ROWS)),
            "rooms": draw.integers(1, 9, ROWS),
            "built": draw.integers(1920, 2024, ROWS),
            "town": draw.choice([f"town {place}" for place in range(14)], ROWS),
            "condition": draw.choice(["poor", "fair", "good", "excellent"], ROWS),
            "garage": _holed(draw, draw.integers(0, 4, ROWS).astype(float), 0.15),
            "latitude": np.round(draw.uniform(32, 42, ROWS), 2),
            "longitude": np.round(draw.uniform(-124, -114, ROWS), 2),
        }
    )
    worth = frame["area"] * (1 + frame["rooms"] / 10) * (1 + (frame["built"] - 1920) / 200)
    return Table(frame, np.round(worth.to_numpy() * 1500 * draw.lognormal(0, 0.15, ROWS)))


def rentals() -> Table:
    """Draw bicycles rented by the hour: a count that depends on the hour, season and weather."""
    draw = np.random.default_rng(108)
    frame = pd.DataFrame(
        {
            "hour": draw.integers(0, 24, ROWS),
            "weekday": draw.integers(0, 7, ROWS),
            "month": draw.integers(1, 13, ROWS),
            "season": draw.choice(["spring", "summer", "autumn", "winter"], ROWS),
            "weather": draw.choice(["clear", "misty", "rain"], ROWS, p=[0.65, 0.26, 0.09]),
            "holiday": draw.random(ROWS) < 0.03,
            "temperature": np.round(draw.normal(20, 8, ROWS), 2),
            "humidity": draw.integers(20, 101, ROWS) / 100,
            "wind": np.round(draw.gamma(2, 6, ROWS), 4),
        }
    )
    rate = 4 + np.sin((frame["hour"] - 8) / 24 * 2 * np.pi) + frame["temperature"] / 40
    return Table(frame, draw.poisson(np.exp(rate.to_numpy())).astype(float))


def reviews() -> Table:
    """Draw reviews of products: a text, the shop's category and a price."""
    draw = np.random.default_rng(109)
    texts = [
        " ".join(draw.choice(WORDS.split(), draw.integers(4, 20)))
        + str(draw.choice([".", "!", "?", "..."]))
        for _ in range(ROWS)
    ]
    frame = pd.DataFrame(
        {
            "text": [text.capitalize() for text in texts],
            "category": draw.choice(["toys", "tools", "kitchen", "audio"], ROWS),
            "price": np.round(draw.lognormal(3, 0.7, ROWS), 2),
            "helpful": draw.poisson(2, ROWS),
        }
    )
    praise = frame["text"].str.count("great|love|perfect|excellent|recommend")
    blame = frame["text"].str.count("broke|poor|refund|damaged|disappointed")
    return Table(frame, np.where(_yes(draw, 2.0 * (praise - blame)), "good", "bad").astype(object))


def _yes(draw: np.random.Generator, signal: Any) -> NDArray[Any]:
    yes: NDArray[Any] = (np.asarray(signal) + draw.logistic(0, 0.7, ROWS) > 0).astype(int)
    return yes


def _holed(draw: np.random.Generator, values: NDArray[Any], share: float) -> NDArray[Any]:
    return np.where(draw.random(len(values)) < share, np.nan, values)


def _falling(count: int) -> NDArray[np.float64]:
    weights = 0.6 ** np.arange(count)
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares
