"""What a part was like, counted for the monitor: no row, and nothing that could be put together."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from functions.batch.jobs.job import Job, Part
from sklambda.arrays import FloatMatrix
from sklambda.decision import choose
from sklambda.signature import Signature
from sklambda.sketch import layout
from sklambda.sketch.baseline import Baseline
from sklambda.sketch.sketch import Sketch
from sklambda.sketch.sketcher import Sketcher
from sklambda.storage import Storage


class Sketches:
    """Counts the parts of a job into the hour in which it was begun.

    Parameters
    ----------
    storage : Storage
        Of the records that the monitor reads.
    job : Job
        Whose parts.
    signature : Signature
        Of the model.
    baseline : Baseline
        On whose rulers rows are counted.
    redacted : collection of str
        Features that are not counted.
    """

    def __init__(
        self,
        storage: Storage,
        job: Job,
        signature: Signature,
        baseline: Baseline,
        redacted: Collection[str] = (),
    ) -> None:
        self._storage, self._job, self._target = storage, job, signature.target
        self._sketcher = Sketcher(signature, baseline, without=redacted)
        self._sketch: Sketch | None = None

    def look(self, X: FloatMatrix, scores: FloatMatrix, coerced: Sequence[tuple[int, str]]) -> None:
        """Count the scored rows of a part, [N, K], with their scores, [N, C]."""
        labels = choose(self._target, scores)
        counts = Counter(name for _, name in coerced)
        self._sketch = self._sketcher.sketch(X, scores, labels, counts)

    def keep(self, part: Part) -> None:
        """Keep what was counted of a part; again, it is the same object."""
        if self._sketch is None:
            return
        moment = datetime.fromisoformat(self._job.started)
        key = layout.batch_sketch(self._job.model, "raw", moment, self._job.id, part.name)
        self._storage.put({key: self._sketch.json()})
        self._sketch = None
