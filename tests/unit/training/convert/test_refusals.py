"""No refusal of a conversion is without a remedy, and docs/refusals.md lists them all."""

import pytest
from sklearn.neural_network import MLPRegressor

from tests.support.refusals import PAGE, page, refusals
from training.convert import convert
from training.errors import ConversionRefused

REMEDIES = (  # noqa: SIM905 - in fewer lines
    "begin build call compute convert draw drop encode end export fill fit give have impute join "
    "keep leave make name number parse pass put replace save scale send set turn use write"
).split()


def test_each_refusal_ends_in_what_to_do() -> None:
    without = [
        f"{one.place}: {one.what}: {one.remedy}"
        for one in refusals()
        if one.remedy != "…" and one.remedy.partition(" ")[0] not in REMEDIES
    ]

    assert without == [], "end the sentence with `: use ...`, or another verb of REMEDIES"


def test_the_page_lists_each() -> None:
    assert PAGE.read_text() == page(), "write it again: python -m tests.support.refusals"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_parameter_is_refused_with_the_values_that_convert() -> None:
    fitted = MLPRegressor(hidden_layer_sizes=(2,), max_iter=1).fit([[1.0], [2.0]], [0.0, 1.0])
    fitted.set_params(activation="perhaps")

    with pytest.raises(ConversionRefused, match=r"activation='perhaps'\) has .*: use activation="):
        convert(fitted, [None])
