"""What many write first: FastAPI, a pydantic model of the row, the pipeline from joblib."""

import os
from typing import Literal

import joblib
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel

type YesNo = Literal["No", "Yes"]
type Addon = Literal["No", "No internet service", "Yes"]

app = FastAPI()
pipeline = joblib.load(os.environ["PIPELINE"])


class Customer(BaseModel):
    gender: Literal["Female", "Male"]
    SeniorCitizen: int
    Partner: YesNo
    Dependents: YesNo
    tenure: int
    PhoneService: YesNo
    MultipleLines: Literal["No", "No phone service", "Yes"]
    InternetService: Literal["DSL", "Fiber optic", "No"]
    OnlineSecurity: Addon
    OnlineBackup: Addon
    DeviceProtection: Addon
    TechSupport: Addon
    StreamingTV: Addon
    StreamingMovies: Addon
    Contract: Literal["Month-to-month", "One year", "Two year"]
    PaperlessBilling: YesNo
    PaymentMethod: str
    MonthlyCharges: float
    TotalCharges: float | None = None


class Prediction(BaseModel):
    label: str
    probability: float


@app.post("/predict")
def predict(customer: Customer) -> Prediction:
    """Score one customer; not ``async``, as FastAPI advises for what computes."""
    frame = pd.DataFrame([customer.model_dump()])
    [probabilities] = pipeline.predict_proba(frame)
    label = pipeline.classes_[probabilities.argmax()]
    return Prediction(label=label, probability=probabilities[1])
