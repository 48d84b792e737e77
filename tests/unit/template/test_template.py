"""What is deployed, read in the template that SAM makes: who gets in, and what is written."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from functions.predict.http.cors import ALLOWED_HEADERS
from functions.predict.http.problems import from_status
from tests.conftest import REPOSITORY
from tests.support.translated_template import Json, deployed, translated

MODES = {"API_KEY": "key", "IAM": "iam", "JWT": "jwt"}
ORIGIN = "https://example.org"
VERBS = {"get", "put", "post", "delete", "patch", "head", "options", "trace"}
CORS = "method.response.header.access-control-allow"
ANY = "x-amazon-apigateway-any-method"
KEYS = {"ApiKey", "UsagePlan", "UsagePlanKey"}
AUTHORIZER = {"Authorize", "AuthorizePermission", "AuthorizeLog"}


def body(**parameters: str) -> Json:
    definition: Json = deployed(**parameters)["Api"]["Properties"]["Body"]
    return definition


def operations(definition: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in definition["paths"].items():
        for verb in {*VERBS, ANY} & item.keys():
            yield path, verb, item[verb]


def of_type(resources: Json, kind: str) -> Json:
    return {name: one for name, one in resources.items() if one["Type"] == kind}


@pytest.mark.parametrize(("auth", "scheme"), MODES.items())
def test_every_method_asks_who_calls(auth: str, scheme: str) -> None:
    found = {(path, verb): one["security"] for path, verb, one in operations(body(Auth=auth))}

    assert found == {("/", ANY): [{scheme: []}], ("/{proxy+}", ANY): [{scheme: []}]}


@pytest.mark.parametrize(("auth", "scheme"), MODES.items())
def test_the_scheme_that_is_asked_for_is_the_only_one_that_there_is(auth: str, scheme: str) -> None:
    schemes = body(Auth=auth)["components"]["securitySchemes"]

    assert list(schemes) == [scheme]


def test_each_scheme_is_what_api_gateway_enforces() -> None:
    schemes = {
        name: body(Auth=auth)["components"]["securitySchemes"][name] for auth, name in MODES.items()
    }

    assert (schemes["key"]["type"], schemes["key"]["name"]) == ("apiKey", "x-api-key")
    assert schemes["iam"]["x-amazon-apigateway-authtype"] == "awsSigv4"
    authorizer = schemes["jwt"]["x-amazon-apigateway-authorizer"]
    assert authorizer["type"] == "token"
    assert "${Authorize.Arn}" in authorizer["authorizerUri"]
    assert re.fullmatch(authorizer["identityValidationExpression"], "Bearer a-_.b.c")
    assert not re.fullmatch(authorizer["identityValidationExpression"], "Bearer a.b")


def test_keys_and_authorizer_are_made_only_where_they_are_asked_for() -> None:
    made = {auth: set(deployed(Auth=auth)) & (KEYS | AUTHORIZER) for auth in MODES}

    assert made == {"API_KEY": KEYS, "IAM": set(), "JWT": AUTHORIZER}


def test_without_keys_the_stage_itself_is_throttled() -> None:
    def throttled(auth: str) -> set[str]:
        [settings] = deployed(Auth=auth)["ApiStage"]["Properties"]["MethodSettings"]
        return {name for name in settings if name.startswith("Throttling")}

    assert throttled("API_KEY") == set()
    assert throttled("IAM") == throttled("JWT") == {"ThrottlingRateLimit", "ThrottlingBurstLimit"}


def test_another_auth_is_deployed_although_the_definitions_text_is_the_same() -> None:
    assert yaml_of_the_api()["AlwaysDeploy"] is True


def yaml_of_the_api() -> Json:
    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda loader, tag, node: None)
    document = yaml.load((REPOSITORY / "template.yaml").read_text(), Loader)  # a SafeLoader
    properties: Json = document["Resources"]["Api"]["Properties"]
    return properties


@pytest.mark.parametrize("auth", MODES)
def test_only_the_preflight_of_a_named_origin_is_open(auth: str) -> None:
    definition = body(Auth=auth, CorsOrigin=ORIGIN)

    opened = {(path, verb) for path, verb, one in operations(definition) if not one["security"]}

    assert opened == {("/", "options"), ("/{proxy+}", "options")}


def test_every_body_reaches_the_function_as_bytes() -> None:
    assert body()["x-amazon-apigateway-binary-media-types"] == ["*/*"]


def test_the_preflight_is_text_although_all_media_types_are_binary() -> None:
    for _, verb, operation in operations(body(CorsOrigin=ORIGIN)):
        integration = operation["x-amazon-apigateway-integration"]
        if verb == "options":
            response = integration["responses"]["default"]
            assert integration["contentHandling"] == "CONVERT_TO_TEXT"
            assert response["contentHandling"] == "CONVERT_TO_TEXT"
            names = response["responseParameters"][f"{CORS}-headers"].strip("'").split(",")
            assert names == list(ALLOWED_HEADERS)
        else:
            assert "contentHandling" not in integration


def test_the_longest_body_fits_into_lambdas_event() -> None:
    declared = translated()["Parameters"]["MaxBytes"]
    event = {"body": base64.b64encode(bytes(declared["MaxValue"])).decode()}
    headers = 2 * 2 * 10_240  # API Gateway's limit, each listed twice, with escapes

    assert declared["Default"] == declared["MaxValue"] == 4_500_000
    assert len(json.dumps(event)) + headers < 6 * 1024 * 1024


@pytest.mark.parametrize("auth", MODES)
def test_an_open_page_opens_what_a_browser_reads_and_no_prediction(auth: str) -> None:
    definition = body(Auth=auth, OpenPage="true")

    opened = {(path, verb) for path, verb, one in operations(definition) if not one["security"]}

    about_models = ("/model", "/models", "/models/{model}")
    assert opened == {(path, "get") for path in ("/", "/docs", "/openapi.json", *about_models)}


def test_an_open_page_is_throttled_although_there_are_keys() -> None:
    [settings] = deployed(OpenPage="true")["ApiStage"]["Properties"]["MethodSettings"]

    assert {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= settings.keys()


def test_the_preflight_names_the_origin_and_calls_nothing() -> None:
    for _, verb, operation in operations(body(CorsOrigin=ORIGIN)):
        if verb == "options":
            integration = operation["x-amazon-apigateway-integration"]
            answer = integration["responses"]["default"]["responseParameters"]
            assert integration["type"] == "mock"
            assert set(answer) == {
                f"method.response.header.{name}"
                for name in operation["responses"]["204"]["headers"]
            }
            assert answer["method.response.header.access-control-allow-origin"] == f"'{ORIGIN}'"


def refusals(**parameters: str) -> Json:
    found: Json = body(**parameters)["x-amazon-apigateway-gateway-responses"]
    return found


def test_each_refusal_of_the_gateway_is_a_problem_like_the_functions() -> None:
    members = list(json.loads(bytes(from_status(404).response().content)))

    for refusal in refusals().values():
        problem = json.loads(refusal["responseTemplates"]["application/json"])
        assert list(problem) == members
        assert problem["type"].startswith("urn:sklambda:problem:")
        assert str(problem["status"]) == refusal["statusCode"]
        assert problem["error"] == problem["detail"]


def test_the_gateway_refuses_with_each_status_by_its_own_words() -> None:
    statuses = {refusal["statusCode"] for refusal in refusals().values()}

    assert {"400", "401", "403", "404", "413", "415", "429", "500", "504"} <= statuses
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= refusals().keys()


def test_no_refusal_of_the_gateway_echoes_a_value() -> None:
    templates = [
        refusal["responseTemplates"]["application/json"] for refusal in refusals().values()
    ]

    assert [text for text in templates if "$" in text] == []


def test_refusals_name_the_origin_only_where_one_is() -> None:
    def headers(**parameters: str) -> set[str]:
        return {
            name for one in refusals(**parameters).values() for name in one["responseParameters"]
        }

    media = "gatewayresponse.header.Content-Type"
    assert headers() == {media}
    assert headers(CorsOrigin=ORIGIN) == {
        media,
        "gatewayresponse.header.Access-Control-Allow-Origin",
        "gatewayresponse.header.Vary",
    }


def access_log() -> Json:
    settings = deployed()["ApiStage"]["Properties"]["AccessLogSetting"]
    line: Json = json.loads(settings["Format"])
    return line


def test_the_access_log_names_caller_key_request_and_outcome() -> None:
    assert {
        "$context.requestId",
        "$context.extendedRequestId",
        "$context.identity.userArn",
        "$context.identity.apiKeyId",
        "$context.status",
        "$context.responseLatency",
    } <= set(access_log().values())


def test_the_access_log_holds_no_key_token_query_or_payload() -> None:
    secret = re.compile(
        r"\.apiKey$|body|header|query|claims|accessKey|messageString", re.IGNORECASE
    )

    assert [value for value in access_log().values() if secret.search(value)] == []


def test_the_gateway_traces_no_data() -> None:
    [settings] = deployed()["ApiStage"]["Properties"]["MethodSettings"]

    assert settings["DataTraceEnabled"] is False
    assert settings["LoggingLevel"] == "OFF"


@pytest.mark.parametrize("auth", MODES)
def test_every_log_is_deleted_in_time_and_takes_a_key(auth: str) -> None:
    groups = of_type(deployed(Auth=auth, LogKeyArn="arn:key"), "AWS::Logs::LogGroup")

    kept = {
        (g["Properties"]["RetentionInDays"], g["Properties"]["KmsKeyId"]) for g in groups.values()
    }

    assert len(kept) == 1
    assert kept.pop()[1] == "arn:key"


def test_the_api_calls_the_alias_and_may() -> None:
    [integration] = {
        json.dumps(one["x-amazon-apigateway-integration"]["uri"])
        for _, verb, one in operations(body())
        if verb == ANY
    }
    permission = deployed()["PredictPermission"]["Properties"]

    assert "${Predict.Arn}:live/invocations" in integration
    assert permission["FunctionName"] == {"Ref": "PredictAliaslive"}
    assert deployed()["PredictAliaslive"]["Properties"]["Name"] == "live"


def versions(model_layer: str) -> set[str]:
    return set(of_type(translated(model_layer)["Resources"], "AWS::Lambda::Version"))


def test_another_model_package_is_another_version() -> None:
    assert len(versions("s3://bucket/model")) == 1
    assert versions("s3://bucket/model").isdisjoint(versions("s3://bucket/another"))


def test_every_layer_of_a_published_function_makes_a_version() -> None:
    document: Any = (REPOSITORY / "template.yaml").read_text()

    assert document.count("PublishLambdaVersion: true") == 3


@pytest.mark.parametrize("applied", ["None", "PublishedVersions"])
def test_snapshots_are_taken_where_the_parameter_says(applied: str) -> None:
    function = deployed(SnapStart=applied)["Predict"]["Properties"]

    assert function["SnapStart"] == {"ApplyOn": applied}


def test_make_build_finds_where_to_write_when_it_was() -> None:
    mark = "Description: Not built by make."

    assert (REPOSITORY / "template.yaml").read_text().count(mark) == 1
    assert mark in (REPOSITORY / "Makefile").read_text()


@pytest.mark.parametrize(("function", "named"), [("Predict", "/opt/package"), ("Batch", None)])
def test_several_models_are_a_folder_with_a_default(function: str, named: str | None) -> None:
    one, several = (
        deployed(**parameters)[function]["Properties"]["Environment"]["Variables"]
        for parameters in ({}, {"DefaultModel": "churn"})
    )

    assert one["MODEL_DIR"] == "/opt/package"
    assert several["MODEL_DIR"] == named or "/opt/models/churn"
    assert (one.get("MODELS_DIR"), one.get("DEFAULT_MODEL")) in (("", ""), (None, None))
    assert several.get("MODELS_DIR") in ("/opt/models", None)
