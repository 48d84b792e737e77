"""A form that asks a model: an input for each feature, with the example filled in."""

from typing import Final

from functions.predict import markup
from functions.predict.fields import field
from functions.predict.response import Response
from functions.predict.service import Model
from sklambda.signature import Target, Task

_EXPLAIN: Final = (
    '<label class="check"><input type="checkbox" id="explain" checked> Explain</label>'
)
_TASKS: Final[dict[Task, str]] = {
    "binary": "two classes",
    "multiclass": "several classes",
    "regression": "a value",
    "anomaly": "anomalies",
    "clustering": "clusters",
    "multioutput": "several targets",
}


def document(model: Model) -> Response:
    """Answer with the form of a model."""
    features = model.signature.features
    return markup.document(
        "page.html",
        script="page.js",
        model=markup.shown(model.name),
        package=markup.text(model.id[:12]),
        purpose=_purpose(model.signature.target),
        count="1 feature" if len(features) == 1 else f"{len(features)} features",
        fields="\n".join(field(feature, place) for place, feature in enumerate(features)),
        explain=_EXPLAIN if model.predictor.explains else "",
    )


def _purpose(target: Target) -> str:
    names = [part.name for part in target.parts] or [target.name]
    shown = ", ".join(markup.shown(name) for name in names if name)
    return (
        f"Predicts {shown} · {_TASKS[target.task]}" if shown else _TASKS[target.task].capitalize()
    )
