"""Errors that stop a training run, or a command on a repository of the user's.

TrainingError             a SklambdaError
├── ConfigurationError   exit code 2
├── DataError            exit code 3
├── ConversionRefused    exit code 4
│   ├── ParityFailed     exit code 4
│   └── TimeLimitExceeded  exit code 4
├── QualityGateFailed    exit code 5
├── UpgradeStopped       exit code 6
├── MergeConflict        exit code 7
└── ToolFailed           exit code 1
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar, Self

from sklambda.errors import SklambdaError


def nearest(word: str, among: Iterable[str], prefix: str = "") -> str:
    """Return the end of a sentence that suggests the closest word, or an empty string."""
    found = get_close_matches(word, list(among), n=1, cutoff=0.5)
    return f"; did you mean `{prefix}{found[0]}`?" if found else ""


class TrainingError(SklambdaError):
    """A run stopped for a reason that its user can act on; the message is one sentence."""

    exit_code: ClassVar[int] = 1


class ConfigurationError(TrainingError):
    """The configuration, or the pipeline that it names, is wrong."""

    exit_code = 2


class DataError(TrainingError):
    """The data cannot be read, or does not fit the configuration."""

    exit_code = 3


class ConversionRefused(TrainingError):
    """A step of the pipeline has no exact conversion.

    Parameters
    ----------
    step : str
        The step's place in the pipeline, as ``preprocess > numbers > scale``.
    reason : str
        The unsupported estimator, parameter or value, as the end of a sentence.
    *others : ConversionRefused
        The refusals of other steps: what stands in the way is said at once.
    """

    exit_code = 4

    def __init__(self, step: str, reason: str, *others: "ConversionRefused") -> None:
        self.step, self.reason, self.others = step, reason, others
        lines = [f"{step or 'pipeline'}: {reason}", *map(str, others)]
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[Self], tuple[object, ...]]:
        """Return the constructor's arguments, for pickle."""
        return type(self), (self.step, self.reason, *self.others)

    @property
    def each(self) -> "list[ConversionRefused]":
        """This refusal alone, and then the others."""
        return [type(self)(self.step, self.reason), *self.others]


class ParityFailed(ConversionRefused):
    """The scores or labels of the converted graph differ from scikit-learn's."""


class TimeLimitExceeded(ConversionRefused):
    """The conversion and its proof exceeded the time limit."""


class QualityGateFailed(TrainingError):
    """The model is not good enough to be deployed."""

    exit_code = 5


class UpgradeStopped(TrainingError):
    """The new application would delete or replace a resource that keeps data."""

    exit_code = 6


class MergeConflict(TrainingError):
    """Both the user and the new version changed the same lines of an ejected file."""

    exit_code = 7


class ToolFailed(TrainingError):
    """A program that was started, as ``sam``, ended with an error."""
