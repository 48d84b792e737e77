"""Three sides of a file make one, or a conflict that is said."""

from tests.unit.training.project.conftest import FILES, MakeApplication
from training.project.merge import merge

HANDLER = "functions/predict/handler.py"
OLD = FILES[HANDLER]
MINE = OLD.replace("one = 1", "one = 11")
THEIRS = OLD.replace("five = 5", "five = 55")
AGAINST = OLD.replace("one = 1", "one = 111")


def test_a_file_that_nobody_changed_is_not_touched(application_factory: MakeApplication) -> None:
    mine, base, new = (application_factory(name) for name in ("mine", "base", "new"))

    result = merge(mine, base, new)

    assert (result.written, result.removed, result.merged, result.conflicts) == ({}, [], [], {})


def test_a_file_that_the_user_left_alone_becomes_the_new_one(
    application_factory: MakeApplication,
) -> None:
    mine, base = application_factory("mine"), application_factory("base")
    new = application_factory("new", {HANDLER: THEIRS, "functions/predict/new.py": "new"})

    result = merge(mine, base, new)

    assert result.written == {HANDLER: THEIRS.encode(), "functions/predict/new.py": b"new"}
    assert (result.merged, result.conflicts) == ([], {})


def test_a_change_of_the_user_alone_stays(application_factory: MakeApplication) -> None:
    mine = application_factory("mine", {HANDLER: MINE, "functions/predict/mine.py": "mine"})

    result = merge(mine, application_factory("base"), application_factory("new"))

    assert (result.written, result.removed) == ({}, [])


def test_changes_in_different_places_are_merged(application_factory: MakeApplication) -> None:
    result = merge(
        application_factory("mine", {HANDLER: MINE}),
        application_factory("base"),
        application_factory("new", {HANDLER: THEIRS}),
    )

    assert result.written == {HANDLER: MINE.replace("five = 5", "five = 55").encode()}
    assert (result.merged, result.conflicts) == ([HANDLER], {})


def test_changes_in_one_place_are_a_conflict_with_both_sides(
    application_factory: MakeApplication,
) -> None:
    result = merge(
        application_factory("mine", {HANDLER: MINE}),
        application_factory("base"),
        application_factory("new", {HANDLER: AGAINST}),
    )

    assert result.conflicts == {HANDLER: "1 conflict, marked in it"}
    assert (
        result.written[HANDLER]
        .decode()
        .startswith("<<<<<<< yours\none = 11\n=======\none = 111\n>>>>>>> sklambda new\n")
    )


def test_the_same_change_on_both_sides_is_no_conflict(
    application_factory: MakeApplication,
) -> None:
    result = merge(
        application_factory("mine", {HANDLER: MINE}),
        application_factory("base"),
        application_factory("new", {HANDLER: MINE}),
    )

    assert (result.written, result.conflicts) == ({}, {})


def test_a_file_that_the_new_version_removes_goes_unless_the_user_changed_it(
    application_factory: MakeApplication,
) -> None:
    other = {"functions/predict/other.py": OLD}
    result = merge(
        application_factory("mine", other | {HANDLER: MINE}),
        application_factory("base", other),
        application_factory("new", {HANDLER: None}),
    )

    assert result.removed == ["functions/predict/other.py"]
    assert result.written == {}
    assert result.conflicts == {
        HANDLER: "you changed it, and the new version removed it; yours stays"
    }


def test_a_file_that_the_user_removed_stays_away(application_factory: MakeApplication) -> None:
    mine, base = application_factory("mine", {HANDLER: None}), application_factory("base")

    unchanged = merge(mine, base, application_factory("same"))
    changed = merge(mine, base, application_factory("new", {HANDLER: THEIRS}))

    assert (unchanged.written, unchanged.conflicts) == ({}, {})
    assert changed.written == {}
    assert "you removed it" in changed.conflicts[HANDLER]


def test_a_file_that_both_sides_added_otherwise_is_a_conflict(
    application_factory: MakeApplication,
) -> None:
    result = merge(
        application_factory("mine", {"functions/x.py": "mine\n"}),
        application_factory("base"),
        application_factory("new", {"functions/x.py": "theirs\n"}),
    )

    assert list(result.conflicts) == ["functions/x.py"]
