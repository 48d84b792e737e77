"""The Lambda function: API Gateway events to the application."""

import asyncio
import os

from mangum import Mangum

from functions.predict.api import create_app
from sklambda.predictor import Predictor
from sklambda.settings import Settings
from sklambda.telemetry import logger

settings = Settings.from_environment(os.environ)
log = logger("predict", settings)
predictor = Predictor.open(settings.model_dir)
app = create_app(predictor, settings, log)
# Mangum runs requests on the current loop, and since Python 3.12 there is none to begin with.
asyncio.set_event_loop(asyncio.new_event_loop())
handler = Mangum(app, lifespan="off")
