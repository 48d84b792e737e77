"""A problem that lists faults names the first one in its detail."""

from functions.predict.http import problems
from sklambda.errors import Fault, FaultCode, RowsInvalid


def test_the_detail_of_an_invalid_body_names_the_first_fault_and_counts_the_others() -> None:
    problem = problems.body_invalid(
        ("/inputs/2", "type", "must be FP64"), ("/id", "type", "must be a string")
    )

    assert problem.detail == "The request body is invalid: /inputs/2 must be FP64 (and 1 more)."


def test_a_fault_of_the_whole_body_has_no_pointer() -> None:
    problem = problems.body_invalid(("", "type", "must be an object"))

    assert problem.detail == "The request body is invalid: must be an object."


def test_the_detail_of_invalid_rows_counts_all_faults_and_a_hundred_are_listed() -> None:
    invalid = RowsInvalid([Fault(k, "age", FaultCode.ABSENT, "is required") for k in range(150)])

    problem = problems.rows_invalid(invalid, lambda fault: f"/instances/{fault.row}/age")

    assert problem.detail == "No row was scored: /instances/0/age is required (and 149 more)."
    assert (len(problem.members["errors"]), problem.members["total"]) == (100, 150)


def test_a_long_pointer_is_cut_in_the_detail_alone() -> None:
    pointer = problems.pointer("a" * 1000)

    problem = problems.body_invalid((pointer, "unknown_member", "is an unknown member"))

    assert len(problem.detail) < 300
    assert problem.members["errors"][0]["pointer"] == pointer
