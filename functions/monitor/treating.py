"""How the groups of the declared columns are treated."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from functions.monitor.aims import Aim
from functions.monitor.answers import ABSENT, Answers
from functions.monitor.fairness import Treatment, fairness
from functions.monitor.joining import Evidence
from functions.monitor.results import Group
from functions.monitor.subject import Subject
from sklambda.signature import UNSEEN, Feature


def groups(subject: Subject, aim: Aim, answers: Answers, evidence: Evidence) -> Iterator[Group]:
    """Compare the groups of each declared column; nothing where there are not two classes.

    How many get the second label is counted in the window, what is right about it among all rows
    whose outcome is known.
    """
    if not aim.two or not len(answers):
        return
    features = {feature.name: feature for feature in subject.signature.features}
    for column, name in enumerate(subject.watching.groups):
        treatments = _treatments(aim, column, answers, evidence)
        named = {_name(features[name], code): one for code, one in treatments.items()}
        yield Group(name, named)


def _treatments(
    aim: Aim, column: int, answers: Answers, evidence: Evidence
) -> dict[int, Treatment]:
    labels, known = answers.labels[:, aim.place], evidence.answers
    unknown = np.full(len(answers), np.nan)
    found = fairness(answers.groups[:, column], labels == 1, unknown)
    seen = fairness(
        known.groups[:, column],
        known.labels[:, aim.place] == 1,
        evidence.true[:, aim.outcome],
        evidence.selection,
    )
    return {
        code: replace(seen[code], rows=one.rows, selection=one.selection) if code in seen else one
        for code, one in found.items()
    }


def _name(feature: Feature, code: int) -> str:
    if code == ABSENT:
        return "missing"
    if code == UNSEEN:
        return "unseen"
    return ("false", "true")[code] if feature.kind == "boolean" else feature.vocabulary[code]
