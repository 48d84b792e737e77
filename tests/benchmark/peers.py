"""The servers that bench_peers compares: how each is started, asked and read."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.benchmark.http_load import post

type Row = Mapping[str, Any]


@dataclass(frozen=True)
class Peer:
    """A way to serve a pipeline over HTTP.

    Attributes
    ----------
    name : str
        What the table calls it.
    packages : tuple of str
        Those whose versions the table names.
    command : str
        What starts it; `{port}`, `{pipeline}`, `{package}`, `{apps}` and `{folder}` stand for
        what the benchmark chose.
    request : callable
        Gives the request for one row.
    probability : callable
        Reads the probability of churn from the parsed answer.
    environment : str
        The virtual environment that holds it; empty for that of the benchmark.
    variables : mapping
        Settings in the environment of the process, with the same placeholders.
    prepare : str
        A command to run before, if any.
    """

    name: str
    packages: tuple[str, ...]
    command: str
    request: Callable[[Row], bytes]
    probability: Callable[[Any], float]
    environment: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    prepare: str = ""


def _columns(row: Row) -> Iterator[dict[str, Any]]:
    """Make the inputs of the Open Inference Protocol, one for each column."""
    for name, value in row.items():
        column = {"name": name, "shape": [1, 1], "data": [value]}
        if isinstance(value, str):
            yield column | {"datatype": "BYTES", "parameters": {"content_type": "str"}}
        else:
            yield column | {"datatype": "INT64" if isinstance(value, int) else "FP64"}


def _of_mlserver(row: Row) -> bytes:
    body = {
        "parameters": {"content_type": "pd"},
        "inputs": list(_columns(row)),
        "outputs": [{"name": "predict_proba"}],
    }
    return post("/v2/models/churn/infer", body)


_SERVICE: Final[dict[str, Any]] = {
    "packages": ("onnxruntime", "fastapi", "uvicorn"),
    "command": "python -m functions.predict --port {port}",
    "request": lambda row: post("/predict", {"instances": [row]}),
    "probability": lambda answer: answer["predictions"][0]["probabilities"]["Yes"],
}

OURS: Final = (
    Peer(name="sklambda", variables={"MODEL_DIR": "{package}"}, **_SERVICE),
    Peer(
        name="sklambda, metrics and capture on",
        variables={"MODEL_DIR": "{package}", "METRICS_NAMESPACE": "bench", "CAPTURE": "raw"},
        **_SERVICE,
    ),
)

OTHERS: Final = (
    Peer(
        name="FastAPI and scikit-learn",
        packages=("fastapi", "uvicorn", "scikit-learn"),
        command="uvicorn fastapi_app:app --app-dir {apps} --port {port}",
        request=lambda row: post("/predict", row),
        probability=lambda answer: answer["probability"],
        environment=".venv-peers-fastapi",
    ),
    Peer(
        name="LitServe",
        packages=("litserve", "scikit-learn"),
        command="python {apps}/litserve_app.py {port}",
        request=lambda row: post("/predict", row),
        probability=lambda answer: answer["probabilities"][1],
        environment=".venv-peers-litserve",
    ),
    Peer(
        name="BentoML",
        packages=("bentoml", "scikit-learn"),
        command="bentoml serve bentoml_app:Churn --working-dir {apps} --host 127.0.0.1"
        " --port {port}",
        request=lambda row: post("/predict", {"customers": [row]}),
        probability=lambda answer: answer[0][1],
        environment=".venv-peers-bentoml",
        variables={"BENTOML_HOME": "{folder}/bentoml", "BENTOML_DO_NOT_TRACK": "True"},
    ),
    Peer(
        name="MLServer",
        packages=("mlserver-sklearn", "scikit-learn"),
        command="mlserver start {folder}",
        request=_of_mlserver,
        probability=lambda answer: answer["outputs"][0]["data"][1],
        environment=".venv-peers-mlserver",
        variables={
            "MLSERVER_HOST": "127.0.0.1",
            "MLSERVER_HTTP_PORT": "{port}",
            "MLSERVER_GRPC_PORT": "{second_port}",
            "MLSERVER_METRICS_PORT": "{third_port}",
            "MLSERVER_DEBUG": "false",
            "MLSERVER_PARALLEL_WORKERS": "0",  # without a second process: faster on one core
            "MLSERVER_MODEL_NAME": "churn",
            "MLSERVER_MODEL_IMPLEMENTATION": "mlserver_sklearn.SKLearnModel",
            "MLSERVER_MODEL_URI": "{pipeline}",
        },
    ),
    Peer(
        name="MLflow",
        packages=("mlflow", "scikit-learn"),
        prepare="python {apps}/mlflow_save.py {folder}/mlflow",
        command="mlflow models serve --model-uri {folder}/mlflow --env-manager local"
        " --host 127.0.0.1 --port {port} --workers 1",
        request=lambda row: post("/invocations", {"dataframe_records": [row]}),
        probability=lambda answer: answer["predictions"][0][1],
        environment=".venv-peers-mlflow",
        variables={"MLFLOW_DISABLE_TELEMETRY": "true"},
    ),
)
