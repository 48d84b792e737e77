"""One service of several models: each is addressed as the dialects address models."""

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from starlette.testclient import TestClient

from sklambda.package import ModelPackage
from tests.conftest import Trained
from tests.support.observed import Observed, observe
from tests.support.packages import forge
from tests.support.several_models import Several

TARGET = "x-amzn-sagemaker-target-model"
BOTH = pytest.mark.parametrize("name", ["churn", "numeric"])


@pytest.fixture(scope="module")
def observed(several: Several) -> Observed:
    return several.observe(metrics_namespace="test", capture="raw")


@pytest.fixture
def client(observed: Observed) -> TestClient:
    return observed.client


def scores(response: httpx2.Response) -> list[float]:
    assert response.status_code == 200, response.text
    return [each["score"] for each in response.json()["predictions"]]


def expected(several: Several, name: str) -> Any:
    return pytest.approx([row[1] for row in several.probabilities(name)], abs=1e-9, rel=0)


def tensors(several: Several, name: str) -> dict[str, Any]:
    rows = several.rows(name)
    kinds: dict[type, str] = {str: "BYTES", bool: "BOOL", int: "INT64", float: "FP64"}
    return {
        "inputs": [
            {"name": feature, "shape": [len(rows)], "datatype": kinds[type(rows[0][feature])],
             "data": [row[feature] for row in rows]}
            for feature in rows[0]
        ]
    }  # fmt: skip


@pytest.mark.parametrize("default", ["churn", "numeric"])
def test_what_names_no_model_is_the_default_ones(several: Several, default: str) -> None:
    client = several.observe(default).client
    body = {"instances": several.rows(default)}

    assert scores(client.post("/predict", json=body)) == expected(several, default)
    answer = client.post("/invocations", json=body).json()
    assert answer["predictions"] == several.labels(default)
    assert client.get("/model").json()["manifest"]["name"] == default


@BOTH
def test_each_model_predicts_by_its_name(client: TestClient, several: Several, name: str) -> None:
    response = client.post(f"/models/{name}/predict", json={"instances": several.rows(name)})

    assert scores(response) == expected(several, name)
    assert response.json()["model"]["name"] == name


@BOTH
@pytest.mark.parametrize("version", ["", "/versions/{id}", "/versions/champion", "/versions/1"])
def test_the_open_inference_protocol_names_models(
    client: TestClient, several: Several, name: str, version: str
) -> None:
    package = ModelPackage.open(several.folder / name).manifest.id
    path = f"/v2/models/{name}{version.format(id=package)}"

    metadata = client.get(path).json()
    answer = client.post(f"{path}/infer", json=tensors(several, name)).json()

    assert client.get(f"{path}/ready").json() == {"name": name, "ready": True}
    assert (metadata["name"], metadata["versions"]) == (name, [package])
    assert [each["name"] for each in metadata["inputs"]] == [*several.rows(name)[0]]
    assert (answer["model_name"], answer["model_version"]) == (name, package)
    found = next(each["data"] for each in answer["outputs"] if each["name"] == "score")
    assert found == expected(several, name)


@BOTH
def test_kserves_first_protocol_names_models(
    client: TestClient, several: Several, name: str
) -> None:
    body = {"instances": several.rows(name)}

    answer = client.post(f"/v1/models/{name}:predict", json=body).json()

    assert answer["predictions"] == several.labels(name)
    assert client.get(f"/v1/models/{name}").json() == {"name": name, "ready": True}
    assert client.get("/v1/models").json() == {"models": ["churn", "numeric"]}


@BOTH
@pytest.mark.parametrize("path", ["/invocations", "/endpoints/churn/invocations"])
@pytest.mark.parametrize("form", ["{}", "{}.tar.gz", "/{}.tar.gz"])
def test_a_target_model_is_named_by_sagemakers_header(
    client: TestClient, several: Several, name: str, path: str, form: str
) -> None:
    body, headers = {"dataframe_records": several.rows(name)}, {TARGET: form.format(name)}

    answer = client.post(path, json=body, headers=headers).json()

    assert answer["predictions"] == several.labels(name)


@BOTH
@pytest.mark.parametrize("path", ["/endpoints/{}/invocations", "/models/{}/invocations"])
def test_invocations_name_a_model_in_the_path(
    client: TestClient, several: Several, name: str, path: str
) -> None:
    answer = client.post(path.format(name), json={"instances": several.rows(name)}).json()

    assert answer["predictions"] == several.labels(name)


@pytest.mark.parametrize(
    ("method", "path", "media_type"),
    [
        ("POST", "/models/secret/predict", "application/problem+json"),
        ("GET", "/models/secret", "application/problem+json"),
        ("POST", "/models/secret/invocations", "application/problem+json"),
        ("POST", "/endpoints/secret/invocations", "application/problem+json"),
        ("GET", "/?model=secret", "application/problem+json"),
        ("GET", "/v1/models/secret", "application/json"),
        ("POST", "/v1/models/secret:predict", "application/json"),
        ("GET", "/v2/models/secret", "application/json"),
        ("GET", "/v2/models/secret/ready", "application/json"),
        ("POST", "/v2/models/secret/infer", "application/json"),
        ("POST", "/v2/models/secret/versions/1/infer", "application/json"),
    ],
)
def test_an_unknown_model_is_not_found_and_the_models_are_named(
    client: TestClient, method: str, path: str, media_type: str
) -> None:
    response = client.request(method, path, json={} if method == "POST" else None)

    body = response.json()
    assert (response.status_code, response.headers["content-type"]) == (404, media_type)
    assert (body["type"], body["models"]) == (
        "urn:sklambda:problem:unknown-model",
        ["churn", "numeric"],
    )
    assert "secret" not in response.text


def test_an_unknown_target_model_is_not_found(client: TestClient) -> None:
    response = client.post("/invocations", json={}, headers={TARGET: "secret.tar.gz"})

    assert (response.status_code, response.json()["models"]) == (404, ["churn", "numeric"])


def test_a_version_of_another_model_is_unknown(client: TestClient, several: Several) -> None:
    other = ModelPackage.open(several.folder / "churn").manifest.id

    response = client.get(f"/v2/models/numeric/versions/{other}")

    assert response.status_code == 404
    assert other not in response.json()["versions"]


def test_the_models_are_listed(client: TestClient, several: Several) -> None:
    listed = client.get("/models").json()

    ids = {name: ModelPackage.open(several.folder / name).manifest.id for name in several.models}
    assert listed == {
        "default": "churn",
        "models": [
            {"name": name, "id": ids[name], "task": "binary", "ready": True}
            for name in ("churn", "numeric")
        ],
    }
    index = client.post("/v2/repository/index", json={"ready": True}).json()
    assert index == [
        {"name": name, "version": ids[name], "state": "READY", "reason": ""}
        for name in ("churn", "numeric")
    ]
    assert client.post("/v2/repository/index").json() == index


def test_each_model_has_its_card(client: TestClient, several: Several) -> None:
    for name in several.models:
        assert client.get(f"/models/{name}").json()["manifest"]["name"] == name


def test_rows_of_another_model_are_refused(client: TestClient, several: Several) -> None:
    response = client.post("/models/numeric/predict", json={"instances": several.rows("churn")})

    assert response.status_code == 422


def test_metrics_and_captures_name_the_model(several: Several) -> None:
    observed = several.observe(metrics_namespace="test", capture="raw")
    ids = {name: ModelPackage.open(several.folder / name).manifest.id for name in several.models}

    for name in ("churn", "numeric"):
        rows = {"instances": several.rows(name)}
        observed.client.post(f"/models/{name}/predict", json=rows)
        observed.client.post("/invocations", json=rows, headers={TARGET: name})
        observed.client.post(f"/v1/models/{name}:predict", json={})

    requests, captures = observed.lines("request"), observed.lines("capture")
    assert [one["model"] for one in requests] == ["churn"] * 3 + ["numeric"] * 3
    assert [one.get("package") for one in requests] == [
        *(ids["churn"],) * 2, None, *(ids["numeric"],) * 2, None
    ]  # fmt: skip
    assert [(one["name"], one["model"]) for one in captures] == [
        (name, ids[name]) for name in ("churn", "churn", "numeric", "numeric")
    ]


def test_a_name_that_a_client_made_up_is_no_dimension(observed: Observed) -> None:
    observed.client.post("/v2/models/made-up/infer", json={})

    assert observed.lines("request")[-1]["model"] == "churn"


def test_a_redacted_feature_may_be_of_one_model_alone(several: Several) -> None:
    observed = several.observe(capture="raw", redact=("income",))

    for name in several.models:
        rows = {"instances": several.rows(name)}
        assert observed.client.post(f"/models/{name}/predict", json=rows).status_code == 200

    features = [one["records"][0]["features"].keys() for one in observed.lines("capture")]
    assert "tenure" in features[0]
    assert features[1] == {"age", "member", "ratio"}


def test_outcomes_of_another_model_lie_apart(several: Several, tmp_path: Path) -> None:
    client = several.observe(feedback_store=str(tmp_path)).client

    default = client.post("/feedback", json={"outcomes": [{"row_id": "7", "outcome": "Yes"}]})
    other = client.post(
        "/models/numeric/feedback", json={"outcomes": [{"row_id": "7", "outcome": 1}]}
    )
    wrong = client.post(
        "/models/numeric/feedback", json={"outcomes": [{"row_id": "7", "outcome": "Yes"}]}
    )

    assert (default.status_code, other.status_code, wrong.status_code) == (200, 200, 422)
    stored = sorted(path.relative_to(tmp_path).parts[:2] for path in tmp_path.rglob("*.json"))
    assert [parts[1].partition("=")[0] for parts in stored] == ["model", "year"]


def test_one_model_that_is_not_ready_leaves_the_others(several: Several, tmp_path: Path) -> None:
    whole = ModelPackage.open(several.folder / "numeric")
    wrong = [row.replace(scores=tuple(each + 0.1 for each in row.scores)) for row in whole.golden]
    forge(whole, tmp_path / "numeric", golden=wrong)
    (tmp_path / "churn").symlink_to(several.folder / "churn")
    client = Several(tmp_path, several.models).observe().client

    ready = client.get("/health/ready")

    assert (ready.status_code, ready.json()["model"]) == (503, "numeric")
    assert client.get("/ping").status_code == 503
    assert client.get("/v2/health/ready").status_code == 503
    assert client.get("/v2/models/churn/ready").status_code == 200
    assert client.get("/v2/models/numeric/ready").status_code == 503
    assert client.post("/predict", json={"instances": several.rows("churn")}).status_code == 200
    assert [one["ready"] for one in client.get("/models").json()["models"]] == [True, False]
    index = client.post("/v2/repository/index", json={"ready": True}).json()
    assert [one["name"] for one in index] == ["churn"]


def test_a_challenger_is_that_of_the_default_model(several: Several) -> None:
    observed = several.observe(challenger_dir=several.folder / "churn", challenger_mode="split")

    assert "challenger" in observed.client.get("/models/churn").json()
    assert "challenger" not in observed.client.get("/models/numeric").json()


def test_openapi_describes_the_rows_of_each_model(client: TestClient) -> None:
    document = client.get("/openapi.json").json()

    paths, schemas = document["paths"], document["components"]["schemas"]
    assert "churn (the default one), numeric" in document["info"]["description"]
    assert {"/predict", "/models/numeric/predict", "/v2/models/numeric/infer"} <= paths.keys()
    assert "/v1/models/numeric:predict" in paths
    assert {"tenure"} <= schemas["Instance"]["properties"].keys()
    assert {"age", "income"} <= schemas["InstanceNumeric"]["properties"].keys()
    ids = [each["operationId"] for path in paths.values() for each in path.values()]
    assert len(ids) == len(set(ids))
    infer = paths["/v2/models/numeric/versions/{version}/infer"]["post"]
    assert [each["name"] for each in infer["parameters"] if each["in"] == "path"] == ["version"]


def test_the_page_has_a_choice_of_model(client: TestClient) -> None:
    default, other = client.get("/").text, client.get("/?model=numeric").text

    for page, current in ((default, "churn"), (other, "numeric")):
        assert '<a href="?model=churn"' in page
        assert f'<a href="?model={current}" aria-current="page">' in page
    assert 'data-predict="predict"' in default
    assert 'data-predict="models/numeric/predict"' in other
    assert 'href="./models/numeric"' in other


def test_a_service_of_one_model_offers_no_choice(churn: Trained) -> None:
    client = observe(churn.package).client

    assert "?model=" not in client.get("/").text
    assert 'data-predict="predict"' in client.get("/?model=churn").text


def test_a_service_of_one_model_names_it_too(churn: Trained, several: Several) -> None:
    client, body = observe(churn.package).client, {"instances": several.rows("churn")}

    assert scores(client.post("/models/churn/predict", json=body)) == expected(several, "churn")
    assert client.post("/models/numeric/predict", json=body).json()["models"] == ["churn"]
    assert client.get("/models").json()["default"] == "churn"


def test_names_may_hold_what_a_path_percent_encodes(
    several: Several, churn: Trained, numeric: Trained, tmp_path: Path
) -> None:
    name = "crédit risk {x} v2"
    forge(ModelPackage.open(numeric.package), tmp_path / name, name=name)
    shutil.copytree(churn.package, tmp_path / "churn")
    client = Several(tmp_path, several.models).observe().client
    body, encoded = {"instances": several.rows("numeric")}, quote(name)

    assert scores(client.post(f"/models/{encoded}/predict", json=body))
    assert client.get(f"/v2/models/{encoded}/versions/1").json()["name"] == name
    assert f"/v2/models/{encoded}/infer" in client.get("/openapi.json").json()["paths"]
    page = client.get(f"/?model={encoded}").text
    assert f'data-predict="models/{encoded}/predict"' in page


def test_the_problem_of_an_unknown_model_says_what_to_do(client: TestClient) -> None:
    body = client.post("/models/x/predict", json={}).json()

    assert body["detail"] == "Unknown model: must be churn or numeric; GET /models lists them."
