"""Synthetic customers, in the columns of the Telco customer churn data.

The rates below are round numbers near those of the real data, so that the example behaves as
the real thing does.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

type _Column = NDArray[np.str_]  # [rows]
type _Mask = NDArray[np.bool_]  # [rows]
type _Numbers = NDArray[np.float64]  # [rows]

_COLUMNS = [
    "customerID",
    "gender",
    "SeniorCitizen",
    "Partner",
    "Dependents",
    "tenure",
    "PhoneService",
    "MultipleLines",
    "InternetService",
    "OnlineSecurity",
    "OnlineBackup",
    "DeviceProtection",
    "TechSupport",
    "StreamingTV",
    "StreamingMovies",
    "Contract",
    "PaperlessBilling",
    "PaymentMethod",
    "MonthlyCharges",
    "TotalCharges",
    "Churn",
]
_ADDONS = {  # share of internet customers, price per month
    "OnlineSecurity": (0.37, 5.0),
    "OnlineBackup": (0.44, 5.0),
    "DeviceProtection": (0.44, 5.0),
    "TechSupport": (0.37, 5.0),
    "StreamingTV": (0.49, 10.0),
    "StreamingMovies": (0.49, 10.0),
}


def generate(rows: int, seed: int) -> pd.DataFrame:
    """Return ``rows`` customers, the same ones for the same seed.

    ``TotalCharges`` is missing for customers in their first month, as in the real data.
    """
    rng = np.random.default_rng(seed)
    columns: dict[str, NDArray[np.generic]] = _household(rng, rows)
    columns |= _contract(rng, rows)
    columns |= _services(rng, rows)
    columns |= _charges(rng, columns)
    columns["Churn"] = _yes(rng.random(rows) < _churn_probability(columns))
    return pd.DataFrame({name: columns[name] for name in _COLUMNS})


def _household(rng: np.random.Generator, rows: int) -> dict[str, NDArray[np.generic]]:
    partner = rng.random(rows) < 0.48
    numbers = rng.permutation(np.arange(1000, 1000 + rows))
    letters = rng.choice(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), (rows, 5))
    return {
        "customerID": np.array(
            [f"{n}-{''.join(word)}" for n, word in zip(numbers, letters, strict=True)]
        ),
        "gender": rng.choice(["Female", "Male"], rows),
        "SeniorCitizen": (rng.random(rows) < 0.16).astype(np.int64),
        "Partner": _yes(partner),
        "Dependents": _yes(rng.random(rows) < np.where(partner, 0.5, 0.1)),
    }


def _contract(rng: np.random.Generator, rows: int) -> dict[str, NDArray[np.generic]]:
    contract = rng.choice(["Month-to-month", "One year", "Two year"], rows, p=[0.55, 0.21, 0.24])
    shape = np.select([contract == "Month-to-month", contract == "One year"], [0.7, 2.5], 4.0)
    payment = ["Bank transfer (automatic)", "Credit card (automatic)", "Electronic check"]
    return {
        "Contract": contract,
        "tenure": np.floor(73 * rng.beta(shape, 1.5)).astype(np.int64),
        "PaperlessBilling": _yes(rng.random(rows) < 0.59),
        "PaymentMethod": rng.choice([*payment, "Mailed check"], rows, p=[0.22, 0.22, 0.33, 0.23]),
    }


def _services(rng: np.random.Generator, rows: int) -> dict[str, NDArray[np.generic]]:
    internet = rng.choice(["DSL", "Fiber optic", "No"], rows, p=[0.34, 0.44, 0.22])
    phone = (internet != "DSL") | (rng.random(rows) < 0.72)
    lines = np.where(phone, _yes(rng.random(rows) < 0.47), "No phone service")
    addons = {
        name: np.where(internet == "No", "No internet service", _yes(rng.random(rows) < share))
        for name, (share, _) in _ADDONS.items()
    }
    services = {"PhoneService": _yes(phone), "MultipleLines": lines, "InternetService": internet}
    return services | addons


def _charges(
    rng: np.random.Generator, columns: dict[str, NDArray[np.generic]]
) -> dict[str, NDArray[np.generic]]:
    internet, tenure = columns["InternetService"], columns["tenure"].astype(np.float64)
    price = 20.0 * (columns["PhoneService"] == "Yes") + 5.0 * (columns["MultipleLines"] == "Yes")
    price = price + np.select([internet == "DSL", internet == "Fiber optic"], [25.0, 50.0], 0.0)
    for name, (_, addon) in _ADDONS.items():
        price = price + addon * (columns[name] == "Yes")
    monthly = np.round((price + rng.normal(0, 0.7, len(tenure))) * 20) / 20
    total = np.round(monthly * tenure * rng.normal(1, 0.03, len(tenure)) * 20) / 20
    return {"MonthlyCharges": monthly, "TotalCharges": np.where(tenure == 0, np.nan, total)}


def _churn_probability(columns: dict[str, NDArray[np.generic]]) -> _Numbers:
    charges = columns["MonthlyCharges"].astype(np.float64)
    tenure = columns["tenure"].astype(np.float64)
    logit = -0.4 - 0.035 * tenure + 0.012 * (charges - 65)
    logit -= 1.0 * (columns["Contract"] == "One year") + 1.9 * (columns["Contract"] == "Two year")
    logit += 0.9 * (columns["InternetService"] == "Fiber optic")
    logit -= 0.9 * (columns["InternetService"] == "No")
    logit += 0.5 * (columns["PaymentMethod"] == "Electronic check")
    logit += 0.3 * (columns["SeniorCitizen"] == 1)
    logit -= 0.4 * (columns["TechSupport"] == "Yes") + 0.4 * (columns["OnlineSecurity"] == "Yes")
    logit += 1.2 * (tenure <= 6)
    probability: _Numbers = 1 / (1 + np.exp(-logit))
    return probability


def _yes(mask: _Mask) -> _Column:
    return np.where(mask, "Yes", "No")
