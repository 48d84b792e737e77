"""The monitor without AWS: records in a folder, and nobody who is sent anything."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from functions.monitor import judging
from functions.monitor.actions import Monitor, Outside
from functions.monitor.diagnosis import Lines
from functions.monitor.events import Look
from functions.monitor.results import Results
from sklambda.errors import PackageRefused
from sklambda.package import ModelPackage
from sklambda.records import moment_of
from sklambda.storage import Directory

type Json = dict[str, Any]

_HOUR: Final = timedelta(hours=1)


class Local:
    """Judges what is in a folder, laid out as the bucket is.

    Parameters
    ----------
    records : Path
        The folder.
    model : Path
        The model package.

    Raises
    ------
    PackageRefused
        The package has no baseline.
    """

    def __init__(self, records: Path, model: Path) -> None:
        package = ModelPackage.open(model)
        if package.baseline is None:
            raise PackageRefused(f"{model} has no baseline: train it again")
        self._package, self._baseline = package, package.baseline
        self._records = Directory(records)
        watching = self._baseline.watching
        self._span = timedelta(hours=watching.window_hours)
        policy, name = watching.retrain, package.manifest.id
        self._monitor = Monitor(self._records, name, policy, self._outside())

    def run(self, until: datetime) -> Path:
        """Judge the window that ends with a time, as of then; gives where its page lies."""
        answer = self._monitor.run(Look(until))
        return self._records.root / str(answer["report"])

    def windows(self) -> Iterator[datetime]:
        """Give the ends of windows, one after the other, that hold all captures."""
        hours = [moment_of(stored.key) for stored in self._records.list("captures/")]
        if not hours:
            return
        stop = min(hours) + self._span
        while stop < max(hours) + _HOUR + self._span:
            yield stop
            stop += self._span

    def _outside(self) -> Outside:
        return Outside(
            judge=self._judge,
            traffic=lambda window, at: None,
            lines=lambda until: Lines([]),
            deployment=lambda: None,
            send=lambda message: None,
            publish=lambda happenings: None,
            count=lambda results: None,
            address=str,
        )

    def _judge(self, until: datetime, at: datetime) -> Results:
        baseline = self._baseline
        return judging.judge(self._records, self._package, baseline, baseline.watching, until, at)


def told(page: Path) -> Json:
    """Read the same report as `Results`, from the JSON beside the page."""
    found: Json = json.loads(page.with_suffix(".json").read_bytes())
    return found
