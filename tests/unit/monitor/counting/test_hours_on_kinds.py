"""Whatever the kind of table, the monitor counts each row that the service captured."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import pytest

from functions.monitor.counting.hours import count_hour
from functions.monitor.watched_model import WatchedModel
from sklambda.package import ModelPackage
from sklambda.policy.watching import Watching
from sklambda.sketch import layout
from sklambda.sketch.layout import Hour
from sklambda.storage import Directory
from tests.support.capturing import deliver
from tests.support.exporting import export_kind
from tests.support.kinds import ClientRow
from tests.support.observed import Observed, observe

KINDS: Final = (
    ("5 columns of all kinds", "yes or no", "missing in each place"),
    ("booleans with missing cells", "True or False", "as trained"),
    ("small integers alone", "counts", "a unit change"),
    ("categories alone", "several targets", "all rows unseen"),
    ("an all-missing column", "three classes", "everything missing"),
    ("levels that look missing", "0 or 1", "unseen categories"),
    ("odd names", "several numbers", "huge numbers"),
    ("texts", "20 classes", "padded levels"),
    ("dates", "numbers", "as trained"),
)
"""Tables, targets, and values of the rows that are sent."""

NOON: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module", params=KINDS, ids=lambda each: each[0])
def sent(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[ClientRow]]:
    """A package of a kind of table, and rows for it; not all are accepted."""
    kind, target, values = request.param
    return export_kind(kind, target, values, tmp_path_factory.mktemp("kind") / "p")


@pytest.mark.parametrize("mode", ["raw", "binned"])
def test_each_row_that_was_captured_is_counted(
    sent: tuple[Path, list[ClientRow]], mode: Literal["raw", "binned"], tmp_path: Path
) -> None:
    path, rows = sent
    service = observe(path, capture=mode)
    accepted = served(service, rows)
    storage = Directory(tmp_path)
    deliver(storage, NOON, [line + b"\n" for line in service.written])
    package = ModelPackage.open(path)
    assert package.baseline is not None

    count_hour(WatchedModel(storage, package, package.baseline, Watching()), NOON)

    stored = storage.find(layout.sketch_key(package.manifest.id, "champion", mode, NOON))
    assert stored is not None
    hour = Hour.parse(storage.read(stored))
    assert (hour.rows, hour.unreadable, hour.misfits) == (accepted, 0, 0)
    assert hour.sketch is not None
    for histogram in hour.sketch.features.values():
        assert sum(histogram.counts) + histogram.missing + histogram.unseen == accepted


def served(service: Observed, rows: list[ClientRow]) -> int:
    """Send rows; return how many were scored."""
    response = service.client.post("/predict?on_error=skip", json={"instances": rows})
    assert response.status_code == 200, response.text
    return len(response.json()["predictions"])
