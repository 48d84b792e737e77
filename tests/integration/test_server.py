"""The plain process answers in time and ends in time, whatever its clients and its folder do."""

import json
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.svm import SVR

from tests.conftest import Trained
from tests.support.background_process import BackgroundProcess, free_port, running
from tests.support.evidence import wait_for
from training.exporter import export

TOLERANCE = 5.0
"""Seconds beside a timeout: this machine may be busy."""


class Served:
    """A process that serves a package, and how to ask it."""

    def __init__(self, running: BackgroundProcess, port: int) -> None:
        self.running, self.port = running, port

    def ask(self, path: str, body: object = None) -> tuple[int, Any]:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            headers = {"content-type": "application/json"}
            content = None if body is None else json.dumps(body)
            connection.request("GET" if body is None else "POST", path, content, headers)
            response = connection.getresponse()
            answer = response.read()
            return response.status, json.loads(answer) if answer else None

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def terminate(self) -> float:
        """Send SIGTERM; return after how many seconds the process has ended."""
        start = perf_counter()
        self.running.process.send_signal(signal.SIGTERM)
        assert self.running.process.wait(timeout=60) == 0
        return perf_counter() - start


type Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(package: Path, *options: str, **variables: str) -> Served:
            port = free_port()
            command = [sys.executable, "-m", "functions.predict", package, "--port", port, *options]
            environment = os.environ | variables
            process = stack.enter_context(
                running([*map(str, command)], environment, tmp_path / "log")
            )
            served = Served(process, port)

            def listens() -> bool:
                process.check_alive()
                return served.ask("/health/live")[0] == 200

            wait_for(listens, 60, "the server")
            return served

        yield start


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package without a closed form: an explanation scores 32,000 rows."""
    generator = np.random.default_rng(0)
    names = [f"x{k}" for k in range(12)]
    frame = pd.DataFrame(generator.normal(size=(300, 12)).round(3), columns=names)
    model = SVR(C=0.1).fit(frame, frame.sum(axis=1) + generator.normal(size=300))
    return export(model, frame, out=tmp_path_factory.mktemp("slow") / "p", name="slow").path


def rows_of(served: Served, count: int) -> dict[str, Any]:
    features = served.ask("/model")[1]["signature"]["features"]
    return {"instances": [{each["name"]: each["example"] for each in features}] * count}


def test_a_replaced_folder_changes_nothing(
    churn: Trained, slow: Path, serve: Serve, tmp_path: Path
) -> None:
    package = tmp_path / "live"
    shutil.copytree(churn.package, package)
    served = serve(package)
    body = rows_of(served, 2)
    before = served.ask("/predict", body)[1]["model"]

    shutil.rmtree(package)
    removed = served.ask("/predict?explain=true", body)
    shutil.copytree(slow, package)
    replaced = served.ask("/predict?explain=true", body)

    for status, answer in (removed, replaced):
        assert (status, answer["model"]) == (200, before)
        assert len(answer["predictions"][1]["explanations"]) == 1
    assert served.ask("/health/ready")[0] == 200


def test_probes_and_predictions_do_not_wait_for_explanations(slow: Path, serve: Serve) -> None:
    served = serve(slow, EXPLAIN_SECONDS="6")
    status, problem = served.ask("/predict?explain=true", rows_of(served, 1000))
    assert (status, problem["type"]) == (413, "urn:sklambda:problem:too-many-rows")
    body, answers = rows_of(served, max(1, problem["limit"] * 3 // 4)), []
    one = rows_of(served, 1)
    start = perf_counter()

    def explain() -> None:
        answers.append((served.ask("/predict?explain=true", body)[0], perf_counter() - start))

    thread = threading.Thread(target=explain)
    thread.start()
    waits, asked = [], perf_counter()
    while thread.is_alive():
        assert served.ask("/health/live")[0] == 200
        assert served.ask("/health/ready")[0] == 200
        assert served.ask("/predict", one)[0] == 200
        waits.append(perf_counter() - asked)
        asked = perf_counter()

    [(status, seconds)] = answers
    assert status in (200, 413)  # a busy machine may be slower than when it was measured
    assert seconds < 6 + TOLERANCE
    assert len(waits) > 5
    assert sorted(waits)[-2] < seconds / 2


def test_explanations_wait_for_each_other_no_longer_than_they_may_take(
    slow: Path, serve: Serve
) -> None:
    served = serve(slow, EXPLAIN_SECONDS="3")
    limit = served.ask("/predict?explain=true", rows_of(served, 1000))[1]["limit"]
    body, answers = rows_of(served, max(1, limit * 3 // 4)), []

    def explain() -> None:
        start = perf_counter()
        status, answer = served.ask("/predict?explain=true", body)
        answers.append((status, answer.get("type", ""), perf_counter() - start))

    threads = [threading.Thread(target=explain) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert max(seconds for _, _, seconds in answers) < 3 + TOLERANCE
    kinds = {kind.rpartition(":")[2] for status, kind, _ in answers if status != 200}
    assert kinds <= {"busy", "too-many-rows"}  # which of them, the machine's speed decides


HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
BODY = HEAD + b"Content-Length: 4000\r\n\r\n{"


@pytest.mark.parametrize("sent", [b"", b"P", HEAD, BODY], ids=["nothing", "byte", "head", "body"])
def test_a_slow_client_is_answered_with_408_and_closed(
    churn: Trained, serve: Serve, sent: bytes
) -> None:
    served = serve(churn.package, "--head-seconds", "1", "--body-seconds", "1")

    with served.connect() as client:
        start = perf_counter()
        client.sendall(sent)
        received = b"".join(iter(lambda: client.recv(4096), b""))

    assert received.startswith(b"HTTP/1.1 408 ")
    assert b"urn:sklambda:problem:request-timeout" in received
    assert 0.9 < perf_counter() - start < 1 + TOLERANCE


def test_a_byte_now_and_then_does_not_renew_the_time(churn: Trained, serve: Serve) -> None:
    served = serve(churn.package, "--body-seconds", "1")

    with served.connect() as client:
        client.sendall(BODY)
        start = perf_counter()
        client.settimeout(0.05)
        received = b""
        while not received and perf_counter() - start < 1 + TOLERANCE:
            try:
                client.sendall(b" ")
                received = client.recv(20)
            except TimeoutError:
                pass

    assert received.startswith(b"HTTP/1.1 408 ")


def test_a_kept_connection_has_the_whole_time_for_each_request(
    churn: Trained, serve: Serve
) -> None:
    served = serve(churn.package, "--head-seconds", "1", "--idle-seconds", "60")
    with closing(HTTPConnection("127.0.0.1", served.port, timeout=60)) as connection:
        start = perf_counter()
        answered = 0
        while perf_counter() - start < 2:  # longer than the time of one head
            connection.request("GET", "/health/live")
            assert connection.getresponse().read()
            answered += 1

    assert answered > 2


def test_half_a_body_is_never_scored(churn: Trained, serve: Serve) -> None:
    served = serve(churn.package, METRICS_NAMESPACE="here")
    body = json.dumps(rows_of(served, 1)).encode()
    request = HEAD + b"Content-Length: %d\r\n\r\n" % (len(body) + 10) + body

    with served.connect() as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_RDWR)
    served.ask("/v2")

    lines = [line for line in served.running.log.read_text().splitlines() if '"request"' in line]
    assert '"/v2"' in lines[-1]
    assert not any('"/predict"' in line for line in lines)


def test_idle_clients_and_half_requests_do_not_keep_the_process(
    churn: Trained, serve: Serve
) -> None:
    served = serve(churn.package, "--stop-seconds", "1")
    with ExitStack() as stack:
        for sent in (b"", b"P", HEAD, BODY) * 5:
            stack.enter_context(client := served.connect())
            client.sendall(sent)
        kept = HTTPConnection("127.0.0.1", served.port, timeout=60)
        stack.enter_context(closing(kept))
        kept.request("GET", "/health/live")
        kept.getresponse().read()

        assert served.terminate() < 1 + TOLERANCE


def test_a_client_that_does_not_read_does_not_keep_the_process(
    churn: Trained, serve: Serve
) -> None:
    served = serve(churn.package, "--stop-seconds", "1")
    with served.connect() as deaf:
        deaf.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 300)

        def waits_for_the_client() -> bool:
            served.running.check_alive()
            return not deaf_is_answered(deaf)

        wait_for(waits_for_the_client, 60, "a full connection")

        assert served.terminate() < 1 + TOLERANCE
    assert "Traceback" not in served.running.log.read_text()


def deaf_is_answered(client: socket.socket) -> bool:
    """Return whether more of an answer arrives that is not read."""
    before = _unread(client)
    sleep(0.5)
    return before == 0 or _unread(client) > before


def _unread(client: socket.socket) -> int:
    return len(client.recv(2**24, socket.MSG_PEEK))


def test_without_half_requests_the_process_ends_at_once(churn: Trained, serve: Serve) -> None:
    served = serve(churn.package, "--stop-seconds", "60")
    with served.connect() as idle, served.connect() as half:
        half.sendall(HEAD)
        idle.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(20).startswith(b"HTTP/1.1 200")

        assert served.terminate() < TOLERANCE


@pytest.mark.parametrize("stop", ["1", "20"])
def test_a_running_explanation_ends_with_the_process(slow: Path, serve: Serve, stop: str) -> None:
    served = serve(slow, "--stop-seconds", stop, EXPLAIN_SECONDS="6")
    limit = served.ask("/predict?explain=true", rows_of(served, 1000))[1]["limit"]
    body = json.dumps(rows_of(served, max(1, limit // 2))).encode()
    request = (
        b"POST /predict?explain=true HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    )

    with served.connect() as client:
        client.sendall(request + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        assert client.recv(100).startswith(b"HTTP/1.1 100 ")  # it waits for the body
        client.sendall(body)
        served.ask("/predict", rows_of(served, 1))
        seconds = served.terminate()
        try:
            answer = client.recv(20)
        except ConnectionError:
            answer = b""

    if stop == "20":
        assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 413"))
    assert seconds < min(float(stop), 6.0) + TOLERANCE
