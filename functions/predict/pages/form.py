"""``GET /``: a form with an input for each feature, filled in with the example."""

import re
from collections.abc import Callable, Iterable, Sequence
from json import dumps
from typing import Final
from urllib.parse import quote

from functions.predict.http.response import Response
from functions.predict.model import ServedModel
from functions.predict.pages import markup
from functions.predict.pages.markup import attributes, isolated, quoted, text
from sklambda.signature import Feature, Kind, Scalar, Target, Task

_MAX_OPTIONS: Final = 60
"""With more categories, the list becomes an input with completion."""

_MAX_HINT: Final = 1e30
"""Larger bounds are those of a number type, and no hint."""

_DATETIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d(?:\.\d{1,3})?))?)?")


def field(feature: Feature, position: int) -> str:
    """Return the HTML of a feature's field: label, input, hint, and space for an error.

    The page's script reads the feature's name and the options of a list as JSON, from ``data-key``
    and the options' values.
    """
    key = f"f{position}"
    listed = _is_list(feature)
    control = _list(feature, key) if listed else _INPUTS[feature.kind](feature, key)
    hint = _hint(feature)
    hinted = f'<p class="hint" id="{key}-hint">{text(hint)}</p>' if hint else ""
    missing = "" if listed or not feature.nullable else _missing(feature, key)
    wide = " wide" if feature.kind == "text" else ""
    return (
        f'<div class="field{wide}"{attributes(data_key=dumps(feature.name))}'
        f"{attributes(data_kind=feature.kind)}>"
        f'<label class="name" for="{key}">{isolated(feature.name)}</label>{control}{missing}'
        f'{hinted}<p class="fault" id="{key}-fault"></p></div>'
    )


def _is_list(feature: Feature) -> bool:
    if feature.choices or feature.kind == "boolean":
        return True
    return feature.kind == "category" and 0 < len(feature.vocabulary) <= _MAX_OPTIONS


def _missing(feature: Feature, key: str) -> str:
    checked = attributes(checked=feature.example is None)
    name = f'<span class="unseen"> {isolated(feature.name)}</span>'
    return (
        f'<label class="missing" for="{key}-missing"><input type="checkbox" id="{key}-missing"'
        f" data-missing{checked}> missing{name}</label>"
    )


def _common_attributes(feature: Feature, key: str) -> str:
    hint = f"{key}-hint " if _hint(feature) else ""
    return attributes(id=key, data_value=True, aria_describedby=f"{hint}{key}-fault")


def _list(feature: Feature, key: str) -> str:
    choices = _choices(feature)
    other = _other(feature, key) if feature.accepts_unseen else ""
    listed = any(value == feature.example for value, _ in choices)
    options = [_option(dumps(value), name, value == feature.example) for value, name in choices]
    if feature.nullable:
        options.append(_option("null", "missing", feature.example is None))
    elif not listed and not other:
        options.insert(0, _option("", "choose …", True))
    if other:
        options.append(
            _option("other", "another value …", not listed and feature.example is not None)
        )
    return f"<select{_common_attributes(feature, key)}>{''.join(options)}</select>{other}"


def _choices(feature: Feature) -> list[tuple[Scalar, str]]:
    if feature.kind == "boolean":
        return [(True, "true"), (False, "false")]
    if feature.choices:
        return [(value, _number(value)) for value in feature.choices]
    return [(category, quoted(category)) for category in feature.vocabulary]


def _option(value: str, name: str, selected: bool) -> str:
    return f"<option{attributes(value=value, selected=selected)}>{text(name)}</option>"


def _other(feature: Feature, key: str) -> str:
    unlisted = feature.example if feature.example not in feature.vocabulary else None
    label = f"{quoted(feature.name)}: another value"
    shape = attributes(
        type="text", id=f"{key}-other", value=unlisted, aria_label=label, autocomplete="off"
    )
    return f"<input data-other{shape}{attributes(aria_describedby=f'{key}-fault', hidden=True)}>"


def _input(feature: Feature, key: str, kind: str, **others: object) -> str:
    value = None if feature.example is None else str(feature.example)
    shape = attributes(type=kind, value=others.pop("value", value), autocomplete="off", **others)
    return f"<input{_common_attributes(feature, key)}{shape}>"


def _number_input(feature: Feature, key: str) -> str:
    return _input(feature, key, "number", step="any", inputmode="decimal")


def _integer_input(feature: Feature, key: str) -> str:
    return _input(feature, key, "number", step="1", inputmode="numeric")


def _category_input(feature: Feature, key: str) -> str:
    names: Iterable[str] = feature.vocabulary
    options = "".join(f"<option{attributes(value=name)}></option>" for name in names)
    control = _input(feature, key, "text", list_=f"{key}-list", spellcheck="false")
    return f'{control}<datalist id="{key}-list">{options}</datalist>'


def _text_area(feature: Feature, key: str) -> str:
    # An HTML parser drops the first line feed.
    content = "" if feature.example is None else f"\n{text(feature.example)}"
    return f'<textarea rows="4"{_common_attributes(feature, key)}>{content}</textarea>'


def _datetime_input(feature: Feature, key: str) -> str:
    """Return a date picker where it has the precision of the data, else a text input."""
    example = [str(feature.example)] if feature.example is not None else []
    matches = [_DATETIME.fullmatch(value) for value in (*example, *map(str, feature.range or ()))]
    if not all(matches):
        return _input(feature, key, "text", placeholder="2026-11-22T10:00:00", spellcheck="false")
    days = [match[1] for match in matches if match]
    times = [f"{match[2] or '00:00'}:{match[3] or '00'}" for match in matches if match]
    if all(not time.strip("0:.") for time in times):
        return _input(feature, key, "date", value=days[0] if example else None)
    step = "1" if feature.unit == "s" else "0.001"
    value = f"{days[0]}T{times[0]}" if example else None
    return _input(feature, key, "datetime-local", step=step, value=value)


_INPUTS: Final[dict[Kind, Callable[[Feature, str], str]]] = {
    "number": _number_input,
    "integer": _integer_input,
    "category": _category_input,
    "text": _text_area,
    "datetime": _datetime_input,
}


def _hint(feature: Feature) -> str:
    parts = []
    if feature.range is not None:
        low, high = (_number(end) for end in feature.range)
        parts.append(f"{low} to {high} in training")
    if feature.least is not None and abs(feature.least) < _MAX_HINT:
        parts.append(f"at least {_number(feature.least)}")
    if feature.greatest is not None and abs(feature.greatest) < _MAX_HINT:
        parts.append(f"at most {_number(feature.greatest)}")
    if feature.kind == "category" and not _is_list(feature) and feature.vocabulary:
        parts.append(f"{len(feature.vocabulary):,} known values; type to search")
    return "; ".join(parts)


def _number(value: float | str) -> str:
    if isinstance(value, str):
        return value.replace("T", " ").removesuffix(" 00:00:00")
    return f"{value:.6g}".replace("-", "\N{MINUS SIGN}")


_EXPLAIN: Final = (
    '<label class="check"><input type="checkbox" id="explain" checked> Explain</label>'
)
_TASKS: Final[dict[Task, str]] = {
    "binary": "binary classification",
    "multiclass": "multiclass classification",
    "regression": "regression",
    "anomaly": "anomaly detection",
    "clustering": "clustering",
    "multioutput": "multiple outputs",
}


def document(model: ServedModel, root: str = "./", names: Sequence[str] = ()) -> Response:
    """Return the page with the form of a model.

    Parameters
    ----------
    model : ServedModel
        The model.
    root : str
        Leads to the root of the service.
    names : sequence of str
        The names of all models, the default one first.
    """
    features = model.signature.features
    own = f"models/{quote(model.name, safe='')}/" if model.name not in names[:1] else ""
    return markup.document(
        "page.html",
        script="page.js",
        root=markup.text(root),
        models=_models(model.name, names) if len(names) > 1 else "",
        predict=markup.text(f"{own}predict"),
        card=markup.text(own.rstrip("/") or "model"),
        model=markup.isolated(model.name),
        package=markup.text(model.id[:12]),
        purpose=_purpose(model.signature.target),
        count="1 feature" if len(features) == 1 else f"{len(features)} features",
        fields="\n".join(field(feature, index) for index, feature in enumerate(features)),
        explain=_EXPLAIN if model.predictor.explains else "",
    )


def _models(current: str, names: Sequence[str]) -> str:
    """Return links to the forms of all models; they work without the page's script."""
    links = [_link(name, "page" if name == current else None) for name in names]
    return f'<nav class="models" aria-label="Models">{" ".join(links)}</nav>'


def _link(name: str, current: str | None) -> str:
    return (
        f"<a{attributes(href=f'?model={quote(name)}', aria_current=current)}>{isolated(name)}</a>"
    )


def _purpose(target: Target) -> str:
    names = [part.name for part in target.parts] or [target.name]
    listed = ", ".join(markup.isolated(name) for name in names if name)
    task = _TASKS[target.task]
    return f"Predicts {listed} · {task}" if listed else task.capitalize()
