"""Whether the rows of a job are like those of training: warnings added up, verdict and remedy.

A feature is unfit where more rows have a warning than training leads to expect: of the rows that
would have had none, the share that has one is above a limit of the options.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from functions.batch.jobs.job import PartResult
from functions.batch.jobs.options import Options
from functions.batch.scoring.trials import REWRITES, Trial
from sklambda.codec.row_warnings import RowWarning, RowWarningCode
from sklambda.signature import Signature
from sklambda.sketch.baseline import Baseline
from sklambda.sketch.sketch import Histogram
from sklambda.storage.receipt import Match, Warned

UNFIT: Final = "unfit_rows"
"""The reason of a job that failed because its rows are unlike those of training."""

LEAST_ROWS: Final = 5
"""The number of rows with a warning below which a file is too small for a verdict."""

_MOST_NAMES: Final = 5
_MOST_LINES: Final = 8
_LIMITS: Final = {
    RowWarningCode.UNSEEN_CATEGORY: "max_unseen",
    RowWarningCode.OUT_OF_RANGE: "max_out_of_range",
    RowWarningCode.MISSING: "max_missing",
}
_ORDER: Final = {change: place for place, change in enumerate(REWRITES)}
_WARNINGS: Final = {
    RowWarningCode.UNSEEN_CATEGORY: "unseen categories",
    RowWarningCode.OUT_OF_RANGE: "numbers out of range",
    RowWarningCode.MISSING: "missing values",
    RowWarningCode.COERCED: "values of another type",
}
_CHANGES: Final = {
    "leading_blanks": "removing leading blanks",
    "trailing_blanks": "removing trailing blanks",
    "blanks": "removing leading and trailing blanks",
    "invisible_characters": "removing non-breaking spaces and other invisible characters",
    "quotes": "removing quotes",
    "case": "ignoring case",
    "trailing_zeros": "removing a trailing `.0`",
    "leading_zeros": "removing leading zeros",
    "normal_form": "normalising Unicode and inner blanks",
    "several": "removing blanks, quotes, case and zeros together",
}
_TRIMMED: Final = ("leading_blanks", "trailing_blanks", "blanks")
_TRIM: Final = "clean the file, or train with `trim = true` in [data.read], by which files are read"
_CLEAN: Final = "write these values as the training data had them"


def by_feature(warnings: Mapping[RowWarning, int]) -> dict[str, dict[str, int]]:
    """Return the numbers of rows by feature and code."""
    counts = defaultdict[str, dict[str, int]](dict)
    for warning, rows in warnings.items():
        counts[warning.feature][warning.code.value] = rows
    return dict(counts)


def add_up(
    results: Sequence[PartResult], rows: int, signature: Signature, baseline: Baseline | None
) -> tuple[Warned, ...] | None:
    """Add up the warnings of all parts.

    Parameters
    ----------
    results : sequence of PartResult
        The results of all parts.
    rows : int
        The number of scored rows.
    signature : Signature
        Of the model; the warnings are in the order of its features.
    baseline : Baseline or None
        Of the model: what training leads to expect.

    Returns
    -------
    tuple of Warned or None
        None where a part did not count them.
    """
    counts = Counter[tuple[str, str]]()
    for result in results:
        if result.warnings is None:
            return None
        for name, numbers in result.warnings.items():
            counts.update({(name, code): number for code, number in numbers.items()})
    matches = _matches(results)
    return tuple(
        Warned(
            feature=name,
            code=code,
            rows=number,
            share=round(number / rows, 6),
            expected=_expected(code, baseline.features[name].column) if baseline else None,
            match=matches.get(name) if code in _TRIED else None,
        )
        for name in signature.names
        for code in RowWarningCode
        if (number := counts[name, code])
    )


_TRIED: Final = (RowWarningCode.UNSEEN_CATEGORY, RowWarningCode.OUT_OF_RANGE)


def _expected(code: RowWarningCode, column: Histogram) -> float | None:
    """Return the share of rows with a warning that training, `column`, leads to expect.

    Training itself has no unseen category and no value out of its range. New rows of the same
    kind have: about as often as training has categories of one row (Good and Turing), and as one
    more value than the others is the least or the greatest.
    """
    rows = max(1, column.rows)
    match code:
        case RowWarningCode.MISSING:
            share = column.missing / rows
        case RowWarningCode.UNSEEN_CATEGORY:
            share = max(column.unseen, column.counts.count(1)) / rows
        case RowWarningCode.OUT_OF_RANGE:
            share = max((column.below + column.above) / rows, 2 / (column.present + 1))
        case RowWarningCode.COERCED:
            return None
    return round(min(1.0, share), 6)


def _matches(results: Iterable[PartResult]) -> dict[str, Match]:
    """Return for each feature the change after which most of the values tried would fit."""
    trials = defaultdict[str, list[Trial]](list)
    for result in results:
        for trial in result.trials:
            trials[trial.feature].append(trial)
    best = {name: _best(each) for name, each in trials.items()}
    return {name: match for name, match in best.items() if match is not None}


def _best(trials: Sequence[Trial]) -> Match | None:
    matched = Counter[str]()
    for trial in trials:
        matched.update(trial.matched)
    change = max(matched, key=lambda one: (matched[one], -_ORDER.get(one, 0)), default=None)
    if change is None or 2 * matched[change] <= sum(trial.tried for trial in trials):
        return None
    return Match(change=change, rows=matched[change])


def unfit(warned: Iterable[Warned], options: Options, signature: Signature) -> list[Warned]:
    """Return the warnings of more rows than the options and the training data admit.

    A later date than those of training is what time brings, and is not held against a file.
    """
    kinds = signature.kinds
    return [
        each
        for each in warned
        if each.code in _LIMITS
        and each.rows >= LEAST_ROWS
        and not (each.code == RowWarningCode.OUT_OF_RANGE and kinds[each.feature] == "datetime")
        and _excess(each) > getattr(options, _LIMITS[RowWarningCode(each.code)])
    ]


def _excess(warned: Warned) -> float:
    """Return the share of rows with the warning among those expected to have none.

    Values that match after a change are not new: as many rows are unfit whatever is expected.
    """
    if warned.expected is None and warned.code == RowWarningCode.MISSING:
        return 0.0
    expected = warned.expected or 0.0
    excess = (warned.share - expected) / (1 - expected) if expected < 1 else 0.0
    matched = warned.share * warned.match.rows / warned.rows if warned.match else 0.0
    return max(excess, matched)


def describe_unfit(unfit: Sequence[Warned], rows: int) -> str:
    """Return the sentence of why a job of so many scored rows failed, and what would help."""
    named = "; ".join(
        f"{phrase} in {_listed(own)}"
        for code, phrase in _WARNINGS.items()
        if (own := [each for each in unfit if each.code == code])
    )
    limits = sorted({_LIMITS[RowWarningCode(each.code)] for each in unfit})
    helps = describe_matches({each.feature: each.match for each in unfit if each.match})
    accept = f"to accept such a file, raise {' and '.join(f'`{name}`' for name in limits)}"
    return f"the {rows:,} scored rows are unlike those of training: {named}{helps}; {accept}"


def _listed(unfit: Sequence[Warned]) -> str:
    """Return the features with the most rows, and their shares."""
    worst = sorted(unfit, key=_excess, reverse=True)
    named = ", ".join(f"`{each.feature}` ({_shares(each)})" for each in worst[:_MOST_NAMES])
    return named + (f" and {len(worst) - _MOST_NAMES} more" if len(worst) > _MOST_NAMES else "")


def _shares(warned: Warned) -> str:
    expected = f", {warned.expected:.2%} expected" if warned.expected else ""
    return f"{warned.share:.2%}{expected}"


def summary(warned: Iterable[Warned]) -> Iterator[str]:
    """Yield lines about the warnings of a job, those that training leads to expect least first."""
    ordered = sorted(warned, key=_excess, reverse=True)
    for each in ordered[:_MOST_LINES]:
        match, warning = each.match, _WARNINGS[RowWarningCode(each.code)]
        helps = f"; {match.rows:,} would fit after {_phrase(match.change)}" if match else ""
        yield f"warnings: {warning} in `{each.feature}`, {each.rows:,} ({_shares(each)}){helps}"
    if len(ordered) > _MOST_LINES:
        yield f"and {len(ordered) - _MOST_LINES} more warnings, listed in the receipt"


def describe_results(results: Iterable[PartResult]) -> str:
    """Return what would help the values that did not fit, also of rejected rows; may be empty."""
    return describe_matches(_matches(results))


def describe_matches(matches: Mapping[str, Match]) -> str:
    """Return clauses that say which features match after which change; empty without any."""
    names = defaultdict[str, list[str]](list)
    for name, match in matches.items():
        names[match.change].append(name)
    return "".join(f"; {_clause(change, each)}" for change, each in names.items())


def _clause(change: str, names: Sequence[str]) -> str:
    subject = f"`{names[0]}` matches" if len(names) == 1 else f"{len(names)} features match"
    remedy = _TRIM if change in _TRIMMED else _CLEAN
    return f"{subject} after {_phrase(change)}: {remedy}"


def _phrase(change: str) -> str:
    return _CHANGES.get(change) or change.replace("_by_", " by ").replace(
        "divided", "dividing"
    ).replace("multiplied", "multiplying")
