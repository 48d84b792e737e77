"""A binned capture tells no value that only few rows have, or only one number in a bin."""

import numpy as np
import pytest

from sklambda.sketch.merging import merge_codes, merge_tenths, merged_codes, part_width


@pytest.mark.parametrize(
    ("edges", "width"),
    [
        ([], 10),
        ([3], 10),
        ([0, 1], 10),
        (range(1, 6), 10),
        (range(8), 10),
        (range(11), 5),
        (range(25), 5),
        (range(26), 2),
        (range(50), 2),
        (range(51), 1),
        ([18, 18.5, 90], 1),
        ([0, 1000, 7000], 10),
        ([0, 86_400, 30 * 86_400], 2),
    ],
)
def test_each_part_of_a_range_has_at_least_five_values(edges: list[float], width: int) -> None:
    assert part_width(np.array(edges, dtype=np.float64)) == width


@pytest.mark.parametrize("width", [1, 2, 5, 10])
def test_tenths_are_merged_to_parts_and_the_outside_stays(width: int) -> None:
    tenths = np.array([-1.0, *range(10), 10.0, np.nan])

    merged = merge_tenths(tenths, width)

    assert (merged[0], merged[-2]) == (-1, 10)
    assert np.isnan(merged[-1])
    assert np.array_equal(np.unique(merged[1:-2]), np.arange(0, 10, width))
    assert np.array_equal(merge_tenths(merged, width), merged, equal_nan=True)


@pytest.mark.parametrize(
    ("counts", "groups"),
    [
        ((), []),
        ((50, 60), [0, 1]),
        ((50, 9, 60), [0, 0, 2]),
        ((9, 500, 9, 80), [0, 1, 0, 3]),
        ((500, 3), [0, 0]),
        ((0, 4, 3), [0, 0, 0]),
        ((0, 0, 500), [0, 0, 0]),
    ],
)
def test_rare_categories_are_one(counts: tuple[int, ...], groups: list[int]) -> None:
    assert merged_codes(counts).tolist() == groups


def test_unseen_and_missing_codes_stay() -> None:
    merged = merge_codes(np.array([0, 1, 2, -1, 7, np.nan]), np.array([0, 0, 2]))

    assert merged[:-1].tolist() == [0, 0, 2, -1, 7]
    assert np.isnan(merged[-1])
