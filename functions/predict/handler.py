"""The Lambda function: API Gateway events to the application."""

import asyncio
import os

from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES

from functions.predict.api import create_app
from functions.predict.problems import MEDIA_TYPE
from sklambda.predictor import Predictor
from sklambda.settings import Settings
from sklambda.telemetry import logger

settings = Settings.from_environment(os.environ)
log = logger("predict", settings)
predictor = Predictor.open(settings.model_dir)
app = create_app(predictor, settings, log)
# Mangum runs requests on the current loop, and since Python 3.12 there is none to begin with.
asyncio.set_event_loop(asyncio.new_event_loop())
# What it does not know for text it encodes in base64, which the gateway would pass on as it is.
handler = Mangum(app, lifespan="off", text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, MEDIA_TYPE])
