"""Columns as the members of a JSON object, in expressions of SQL."""

from collections.abc import Iterable, Sequence
from typing import Final

from functions.batch.tables.sql import literal

type Member = tuple[tuple[str, ...], str]
"""The path of a value, and the expression that gives it."""

PREFIX: Final = "predicted_"
"""What stands before the names of an answer where the input has one of them."""


def written(members: Sequence[Member], prefix: str = "''") -> str:
    """Write an object of JSON; `prefix` gives what its names begin with."""
    parts: list[str] = []
    for name in dict.fromkeys(path[0] for path, _ in members):
        own = [(path[1:], sql) for path, sql in members if path[0] == name]
        key = literal(name) if prefix == "''" else f"{prefix} || {literal(name)}"
        parts += [key, own[0][1] if own[0][0] == () else written(own)]
    return f"json_object({', '.join(parts)})"


def joined(members: Sequence[Member]) -> str:
    """Write the members behind those of the object in ``line``.

    Numbers and the order of members stay as they are in the text. A record that has a member of
    a name of the answer has an answer with other names.
    """
    names = {path[0] for path, _ in members}
    repeated = f"repeat('{PREFIX}', {_taken(names)})"
    plain, other = written(members), written(members, repeated)
    free = f"NOT list_has_any(json_keys(line), {_list(names)})"
    answer = f"CAST(CASE WHEN {free} THEN {plain} ELSE {other} END AS VARCHAR)"
    return rf"left(rtrim(line, E' \t\r\n'), -1) || ',' || substr({answer}, 2)"


def _taken(names: Iterable[str]) -> str:
    """Count how often the prefix must stand: once more than in any name that is taken."""
    pattern = f"({PREFIX})*({'|'.join(sorted(names))})"
    alike = f"list_filter(json_keys(line), lambda k: regexp_full_match(k, '{pattern}'))"
    counts = f"list_transform({alike}, lambda k: len(string_split(k, '{PREFIX}')))"
    return f"list_max({counts})"


def _list(names: Iterable[str]) -> str:
    return f"[{', '.join(map(literal, sorted(names)))}]"
