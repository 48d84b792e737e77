"""Each line of the tables of docs/event-sources.md."""

import base64
import json
import re
from types import SimpleNamespace
from typing import Any

import pytest

from functions.predict.app.api import Application
from functions.predict.app.event_sources import EventRefused
from functions.predict.app.gateway import Gateway
from sklambda.predictor import Predictor
from tests.conftest import REPOSITORY, Trained
from tests.support.observed import observe
from tests.support.tensors import app_of, tensors

type Json = dict[str, Any]

PAGE = (REPOSITORY / "docs/event-sources.md").read_text()
REST: Json = json.loads((REPOSITORY / "events/predict.json").read_text())
ROW: Json = json.loads(REST["body"])["instances"][0]


def read(name: str) -> Json:
    document: Json = json.loads((REPOSITORY / name).read_text())
    return document


def rest(path: str, resource: str = "/{proxy+}", **context: str) -> Json:
    details = REST["requestContext"] | {"path": path} | context
    return REST | {"path": path, "resource": resource, "requestContext": details}


URL = read("events/predict-function-url.json")
HTTP: dict[str, Json] = {
    "REST API": REST,
    "REST API, base path mapping": rest("/churn/predict", domainName="api.example.com"),
    "REST API, resource below another": rest("/ml/predict", resource="/ml/{proxy+}"),
    "HTTP API, payload 2.0": read("events/predict-http-api.json"),
    "HTTP API, payload 1.0": rest("/v1/predict", "$default") | {"version": "1.0"},
    "HTTP API, mapping key": read("events/predict-function-url.json")
    | {"rawPath": "/churn/predict"},
    "Function URL": URL,
    "ALB": read("events/predict-alb.json"),
    "VPC Lattice": {
        "version": "2.0",
        "path": "/predict",
        "method": "POST",
        "headers": {"content-type": ["application/json"]},
        "body": REST["body"],
        "isBase64Encoded": False,
        "requestContext": {"serviceArn": "arn:aws:vpc-lattice:eu-central-1:123456789012:service/s"},
    },
}


@pytest.fixture(scope="module")
def app(churn: Trained) -> Application:
    return app_of(churn.package)


@pytest.fixture(scope="module")
def gateway(app: Application) -> Gateway:
    return Gateway(app)


@pytest.fixture(scope="module")
def expected(gateway: Gateway) -> Json:
    return prediction(json.loads(gateway(REST, None)["body"]))


def prediction(document: Json) -> Json:
    [found] = document["predictions"]
    return {name: found[name] for name in ("label", "score", "probabilities")}


def lines(title: str) -> set[str]:
    """Return the first cells of the table below a title of the page."""
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)
    return set(cells) - {"source"}


@pytest.mark.parametrize("source", HTTP)
def test_http_has_one_answer(gateway: Gateway, expected: Json, source: str) -> None:
    answer = gateway(HTTP[source], None)

    assert answer["statusCode"] == 200
    assert prediction(json.loads(answer["body"])) == expected


def test_each_source_of_http_is_a_line_of_the_page() -> None:
    assert lines("HTTP") == HTTP.keys()


def test_a_direct_invocation_has_the_answer_of_http(gateway: Gateway, expected: Json) -> None:
    answer = gateway(read("events/predict-direct.json"), None)

    assert prediction(answer) == expected
    assert answer["predictions"][0]["explanations"]


def test_a_direct_invocation_that_lambda_repeats_has_predictions_of_its_own(
    gateway: Gateway,
) -> None:
    context = SimpleNamespace(aws_request_id="52fdfc07-2182-154f-163f-5f0f9a621d72")

    answers = [gateway({"instances": [ROW]}, context)["predictions"] for _ in range(2)]

    [[one], [other]] = answers
    assert one["prediction_id"] != other["prediction_id"]


def test_a_direct_invocation_may_be_in_another_dialect(
    gateway: Gateway, churn: Trained, expected: Json
) -> None:
    signature = Predictor.open(churn.package).package.signature
    columns, values = list(ROW), list(ROW.values())
    split = {"dataframe_split": {"columns": columns, "data": [values]}}
    proba = {"instances": [ROW], "params": {"method": "predict_proba"}}

    by_split, by_proba = gateway(split, None), gateway(proba, None)
    by_tensors = gateway({"inputs": tensors(signature, churn.frame.head(2))}, None)

    assert by_split == {"predictions": [expected["label"]]}
    assert by_proba == {"predictions": [list(expected["probabilities"].values())]}
    assert [output["name"] for output in by_tensors["outputs"]][1] == "label"


def test_a_problem_of_a_direct_invocation_is_returned(gateway: Gateway) -> None:
    answer = gateway({"instances": [ROW | {"tenure": "x"}]}, None)

    assert (answer["status"], answer["type"]) == (422, "urn:sklambda:problem:rows-invalid")


@pytest.mark.parametrize("event", [None, {}, [], [ROW], ROW, "x", 5, {"key1": "value1"}, True])
def test_another_payload_is_an_unknown_event(gateway: Gateway, event: object) -> None:
    answer = gateway(event, None)

    assert (answer["status"], answer["type"]) == (400, "urn:sklambda:problem:event-unknown")
    assert "instances" in answer["detail"]


def test_a_payload_is_as_long_as_it_was_sent(gateway: Gateway) -> None:
    text = "é" * 60_000  # 120,000 bytes of 200,000; twice that with blanks, thrice as escapes

    answer = gateway({"instances": [ROW | {"gender": text}]}, None)

    assert answer["predictions"]


def test_a_payload_that_json_cannot_hold_is_no_stack(gateway: Gateway) -> None:
    nested: Json = {}
    for _ in range(900):
        nested = {"a": nested}

    answers = [
        gateway({"instances": [value]}, None)
        for value in (nested, {"tenure": float("nan")}, {"gender": "\ud800"})
    ]

    assert {answer["type"] for answer in answers} == {"urn:sklambda:problem:not-json"}


def batch(gateway: Gateway, **changes: Any) -> Json:
    answer: Json = json.loads(gateway(read("events/predict-redshift.json") | changes, None))
    return answer


def test_redshift_gets_one_result_for_each_row(gateway: Gateway, expected: Json) -> None:
    rows = [list(ROW.values())] * 120  # more than the limit of a request

    proba = batch(gateway)
    many = batch(gateway, arguments=rows, num_records=120, external_function="f_churn")
    by_text = batch(gateway, arguments=[[json.dumps(ROW)]], num_records=1)

    assert (proba["success"], proba["num_records"]) == (True, 2)
    assert proba["results"][0] == by_text["results"][0] == expected["score"]
    assert many["results"] == [expected["label"]] * 120


@pytest.mark.parametrize("arguments", [[["x"]], [list(ROW.values())[1:]], "x", [None], [["{"]]])
def test_redshift_gets_the_reason_of_a_refusal(gateway: Gateway, arguments: object) -> None:
    answer = batch(gateway, arguments=arguments)

    assert (answer["success"], answer["results"]) == (False, [])
    assert answer["error_msg"]


def test_redshift_is_told_the_row_of_its_batch(gateway: Gateway) -> None:
    good = list(ROW.values())
    bad, text = [good[0], "x", *good[2:]], json.dumps(ROW | {"tenure": "x"})
    short = good[1:]
    expected = {
        "/arguments/70/1 must be": bad,
        "/arguments/70/0/tenure must be": [text],
        "/arguments/70 must have": short,
        "with the features by name": ["{"],
    }

    for place, row in expected.items():  # in the second of its requests
        answer = batch(gateway, arguments=[*[good] * 70, row, *[good] * 9], num_records=80)
        assert place in answer["error_msg"]
        assert "/instances" not in answer["error_msg"]


def test_an_agent_with_a_schema_gets_the_body_of_http(gateway: Gateway, expected: Json) -> None:
    event = read("events/predict-bedrock.json")

    answer = gateway(event, None)

    reply = answer["response"]
    assert (reply["httpStatusCode"], reply["apiPath"]) == (200, "/predict")
    document = json.loads(reply["responseBody"]["application/json"]["body"])
    assert prediction(document) == expected
    assert document["predictions"][0]["explanations"]
    assert answer["sessionAttributes"] == event["sessionAttributes"]


def of_function(parameters: list[Json]) -> Json:
    event = read("events/predict-bedrock.json")
    for name in ("apiPath", "httpMethod", "requestBody"):
        del event[name]
    return event | {"function": "predict", "parameters": parameters}


def test_an_agent_with_function_details_names_the_features(
    gateway: Gateway, expected: Json
) -> None:
    kinds: dict[type, str] = {int: "integer", float: "number", str: "string"}
    parameters = [
        {"name": name, "type": kinds[type(value)], "value": str(value)}
        for name, value in ROW.items()
    ]

    reply = gateway(of_function(parameters), None)["response"]
    refused = gateway(of_function(parameters[1:]), None)["response"]

    body = reply["functionResponse"]["responseBody"]["TEXT"]["body"]
    assert prediction(json.loads(body)) == expected
    assert reply["function"] == "predict"
    assert refused["functionResponse"]["responseState"] == "REPROMPT"


@pytest.mark.parametrize("member", ["parameters", "requestBody", "apiPath", "httpMethod"])
@pytest.mark.parametrize("value", [None, 5, "x", [5], {"content": []}])
def test_an_odd_action_of_an_agent_has_an_answer(
    gateway: Gateway, member: str, value: object
) -> None:
    answer = gateway(read("events/predict-bedrock.json") | {member: value}, None)

    assert 200 <= answer["response"]["httpStatusCode"] < 500


PINGS: dict[str, list[Json]] = {
    "Warm-up ping": [
        {"source": "serverless-plugin-warmup"},
        {"warmer": True},
        {"warmer": True, "concurrency": 3},
        {"warmup": True},
    ],
    "EventBridge schedule": [
        {"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}},
        {"detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": "{}"},
    ],
}
WITHOUT_HTTP = {
    "Direct invocation",
    "Amazon Redshift",
    "Amazon Bedrock agent, OpenAPI schema",
    "Amazon Bedrock agent, function details",
}


@pytest.mark.parametrize("source", PINGS)
def test_a_ping_is_answered_and_neither_counted_nor_captured(churn: Trained, source: str) -> None:
    observed = observe(churn.package, capture="raw", metrics_namespace="test")
    assert isinstance(observed.client.app, Application)
    gateway = Gateway(observed.client.app)

    answers = [gateway(event, None) for event in PINGS[source]]
    in_client_context = SimpleNamespace(custom={"source": "serverless-plugin-warmup"})
    answers.append(gateway({}, SimpleNamespace(client_context=in_client_context)))

    assert {answer["statusCode"] for answer in answers} == {200}
    assert observed.written == []
    gateway(REST, None)
    assert observed.written != []


def test_each_source_without_http_is_a_line_of_the_page() -> None:
    assert lines("Without HTTP") == WITHOUT_HTTP | PINGS.keys()


def records(source: str, name: str = "eventSource") -> Json:
    return {"Records": [{name: source, "body": REST["body"]}]}


OF_PIPES = ("aws:sqs", "aws:kinesis", "aws:dynamodb", "aws:kafka", "aws:amazonmq")
"""Sources of EventBridge Pipes, which hands on a list of records."""

REFUSED: dict[str, list[Json | list[Json]]] = {
    "Amazon S3, S3 Batch Operations": [
        records("aws:s3"),
        {"invocationSchemaVersion": "1.0", "invocationId": "i", "job": {}, "tasks": []},
    ],
    "SQS, SNS, Kinesis, DynamoDB streams, Kafka, MQ, DocumentDB, Firehose": [
        records("aws:sqs"),
        records("aws:sns", "EventSource"),
        records("aws:kinesis"),
        records("aws:dynamodb"),
        records("of something new"),
        {"eventSource": "aws:kafka", "records": {"topic-0": []}},
        {"eventSource": "SelfManagedKafka", "records": {}},
        {"eventSource": "aws:mq", "messages": []},
        {"eventSource": "aws:rmq", "rmqMessagesByQueue": {}},
        {"eventSource": "aws:docdb", "events": []},
        {"invocationId": "i", "deliveryStreamArn": "arn", "records": []},
        *([{"eventSource": name, "body": REST["body"]}] for name in OF_PIPES),
    ],
    "EventBridge events, CloudWatch Logs, SES, CodePipeline, CloudFormation, Config, Cognito, "
    "Lex, Connect": [
        {"source": "aws.s3", "detail-type": "Object Created", "detail": {}},
        {"awslogs": {"data": base64.b64encode(b"x").decode()}},
        records("aws:ses"),
        {"CodePipeline.job": {"id": "i"}},
        {"RequestType": "Create", "ResponseURL": "https://example.org", "StackId": "s"},
        {"invokingEvent": "{}", "ruleParameters": "{}"},
        {"triggerSource": "PreSignUp_SignUp", "userPoolId": "p", "request": {}},
        {"sessionState": {}, "bot": {}},
        {"Details": {"ContactData": {}}, "Name": "ContactFlowEvent"},
    ],
    "CloudWatch alarms": [{"source": "aws.cloudwatch", "alarmArn": "arn", "alarmData": {}}],
    "AppSync, WebSocket APIs, Lambda@Edge": [
        {"arguments": ROW, "identity": None, "source": None, "info": {"fieldName": "predict"}},
        {"requestContext": {"routeKey": "$default", "connectionId": "c"}, "body": "x"},
        {"Records": [{"cf": {"request": {"uri": "/predict"}}}]},
        [{"arguments": ROW, "info": {"fieldName": "predict"}}] * 2,
    ],
    "Authorizers": [
        {"type": "TOKEN", "authorizationToken": "t", "methodArn": "arn"},
        {"type": "REQUEST", "methodArn": "arn", "headers": {}, "httpMethod": "GET", "path": "/"},
        {"version": "2.0", "type": "REQUEST", "routeArn": "arn", "rawPath": "/predict"},
    ],
}


@pytest.mark.parametrize("sources", REFUSED)
def test_another_source_is_seen_to_fail_with_one_sentence(gateway: Gateway, sources: str) -> None:
    for event in REFUSED[sources]:
        with pytest.raises(EventRefused, match=r"^unsupported event: .+; \w+") as raised:
            gateway(event, None)

        assert "." not in str(raised.value).replace("[...]", "").replace("inbox/.", "")
        assert "\n" not in str(raised.value)


def test_each_source_that_is_refused_is_a_line_of_the_page() -> None:
    assert lines("Not for this function") == REFUSED.keys()
