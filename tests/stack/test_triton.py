"""Triton's own client asks the deployed API in binary: it declares no media type of its bytes."""

import numpy as np
import pytest

from sklambda.predictor import Predictor
from tests.conftest import Trained
from tests.stack.deployment import Stack
from tests.support.triton import infer, needs_client, request_of

pytestmark = [pytest.mark.stack, needs_client]

ROWS = 500


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_the_client_gets_scikit_learns_own_probabilities_in_binary(
    stack: Stack, churn: Trained, compression: str | None
) -> None:
    frame = churn.frame.head(ROWS)
    address = stack.stage_url.partition("://")[2]
    signature = Predictor.open(churn.package).package.signature
    headers = {"x-api-key": stack.api_key}

    answer = infer(request_of(address, signature, frame, headers=headers, compression=compression))

    found = np.array(answer["outputs"]["probabilities"])
    assert np.abs(found - churn.pipeline.predict_proba(frame)).max() <= 1e-9
    assert answer["outputs"]["label"] == churn.pipeline.predict(frame).tolist()
    assert (answer["live"], answer["ready"]) == (True, True)
