"""The steps of the codec that are methods of texts, of pandas and of Python."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sklambda.signature import TextStep
from training.convert.tracing.expressions import Steps

EVERYWHERE: Final = "capitalize casefold lower swapcase title upper zfill removeprefix removesuffix"
_STRIPS: Final = ("strip", "lstrip", "rstrip")
_META: Final = re.compile(r"[\\^$.|?*+()\[\]{}]")


def step(name: str, *arguments: Any) -> TextStep:
    """Return a step of the codec."""
    return TextStep(name=name, arguments=arguments)


def pandas_steps(name: str, inputs: Sequence[Any], options: Mapping[str, Any]) -> Steps | None:
    """Return the steps of a method of ``Series.str`` that makes texts; None without any."""
    if name in EVERYWHERE.split() and not options and all(map(is_plain, inputs)):
        return (step(name, *inputs),)
    if name in _STRIPS:
        given = [*inputs, *options.values()]
        return (step(name, *(one for one in given if one is not None)),) if len(given) < 2 else None
    if name == "replace":
        return _replacing(*inputs, **options)
    if name == "get" and len(inputs) == 1 and not options:
        return (step("character", *inputs),)
    if name == "slice":
        bounds = dict(zip(("start", "stop", "step"), inputs, strict=False)) | dict(options)
        return (step("slice", *(bounds.get(each) for each in ("start", "stop", "step"))),)
    return None


def is_plain(value: Any) -> bool:
    """Check whether a value can be the argument of a step."""
    return isinstance(value, (str, int, bool)) or value is None


def _replacing(
    pat: Any = None,
    repl: Any = None,
    n: int = -1,
    case: bool | None = None,
    flags: int = 0,
    regex: bool = False,
) -> Steps | None:
    if n != -1 or not isinstance(repl, str):
        return None
    if not regex and isinstance(pat, str) and case in (None, True):
        return (step("replace", pat, repl),)
    found = regex_of(pat, flags, case) if regex else None
    return None if found is None else (step("sub", found, repl),)


_FLAGS: Final = {
    re.IGNORECASE: "i",
    re.MULTILINE: "m",
    re.DOTALL: "s",
    re.ASCII: "a",
    re.VERBOSE: "x",
}


def regex_of(given: Any, flags: Any = 0, case: bool | None = None) -> str | None:
    """Return a regular expression with its flags inside; None for what is none of a text."""
    if isinstance(given, re.Pattern):
        flags, given = given.flags, given.pattern
    if not isinstance(given, str):
        return None
    flags = re.RegexFlag(flags) | (re.IGNORECASE if case is False else 0)
    letters = "".join(letter for flag, letter in _FLAGS.items() if flags & flag)
    return f"(?{letters}){given}" if letters else given


def pandas_pattern(name: str, inputs: Sequence[Any], options: Mapping[str, Any]) -> str | None:
    """Return the regular expression whose matches a method of ``Series.str`` counts."""
    given = dict(zip(_ARGUMENTS[name], inputs, strict=False)) | dict(options)
    pat, regex = given.get("pat"), given.get("regex", True)
    if name in ("startswith", "endswith"):
        texts = pat if isinstance(pat, tuple) else (pat,)
        if not all(isinstance(text, str) for text in texts):
            return None
        either = "|".join(map(re.escape, texts))
        return rf"\A(?:{either})" if name == "startswith" else rf"(?:{either})\Z"
    if isinstance(pat, str) and not regex:
        pat = re.escape(pat)
    found = regex_of(pat, given.get("flags", 0), given.get("case"))
    if found is None or name not in _AROUND:
        return found
    flags, inner = re.match(r"(\(\?[aimsx]+\))?(.*)", found, re.DOTALL).groups()  # type: ignore[union-attr]
    before, after = _AROUND[name]
    return f"{flags or ''}{before}(?:{inner}){after}"


_ARGUMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "contains": ("pat", "case", "flags", "na", "regex"),
    "count": ("pat", "flags"),
    "endswith": ("pat", "na"),
    "fullmatch": ("pat", "case", "flags", "na"),
    "match": ("pat", "case", "flags", "na"),
    "startswith": ("pat", "na"),
}
_AROUND: Final = {"match": (r"\A", ""), "fullmatch": (r"\A", r"\Z")}
TESTS: Final = frozenset(_ARGUMENTS)
"""The methods of ``Series.str`` that look for a pattern."""


def separator(
    inputs: Sequence[Any], options: Mapping[str, Any], names: Sequence[str]
) -> tuple[str | None, int] | None:
    """Return where a text is split, and how often; None where that is a regular expression."""
    given = dict(zip(names, inputs, strict=False)) | dict(options)
    at, most = given.get(names[0]), given.get(names[1], -1)
    if not (at is None or isinstance(at, str)) or given.get("regex"):
        return None
    if at and len(at) > 1 and "pat" in names and _META.search(at) and given.get("regex") is None:
        return None
    return (at or None), (-1 if most in (0, None) and "pat" in names else most)
