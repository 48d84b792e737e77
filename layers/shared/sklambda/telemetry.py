"""Structured logs of the functions. Never a payload: only places, codes, counts and ids."""

from aws_lambda_powertools import Logger

from sklambda.settings import Settings


def logger(service: str, settings: Settings) -> Logger:
    """Make the one logger of a function; its lines are JSON objects on standard output."""
    return Logger(service=service, level=settings.log_level, utc=True)
