"""onnxruntime reports to nobody, and computes what the graph says."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sklambda.session import Session
from tests.conftest import Trained
from training.convert.graph.graph import Graph, Matrix

SCORE_ONCE = """
import sys
from pathlib import Path
{load}
import numpy as np
session = load(Path(sys.argv[1], "model.onnx").read_bytes())
session.run(None, {{"X": np.zeros((1, 19))}})
"""
OURS = SCORE_ONCE.format(load="from sklambda.session import load")
PLAIN = SCORE_ONCE.format(load="from onnxruntime import InferenceSession as load")


def files_at_home(script: str, package: Path, home: Path) -> list[str]:
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    subprocess.run([sys.executable, "-c", script, package], env=environment, check=True)
    return [str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()]


def test_no_file_appears_at_home(churn: Trained, tmp_path: Path) -> None:
    assert files_at_home(OURS, churn.package, tmp_path) == []


def test_onnxruntime_alone_does_leave_files(churn: Trained, tmp_path: Path) -> None:
    """The test above proves something only as long as this one passes."""
    found = files_at_home(PLAIN, churn.package, tmp_path)

    assert any("deviceid" in name for name in found)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace shows the sockets: not here")
def test_no_socket_is_opened(churn: Trained, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    watch = ["strace", "--follow-forks", "--trace=socket,execve", "--output", str(trace)]

    subprocess.run([*watch, sys.executable, "-c", OURS, churn.package], check=True)

    lines = trace.read_text().splitlines()
    assert any("execve" in line for line in lines), "strace saw nothing at all"
    assert [line for line in lines if "socket(" in line] == []


def test_a_scale_before_a_product_stays_in_float64() -> None:
    """onnxruntime would fold the quotient into a float32 attribute if it were allowed to."""
    scale, weight = 0.9599571170977725, 0.06289811626079306
    graph = Graph()
    scaled = graph.node("Div", "X", graph.constant([[scale]]))
    product = graph.node("MatMul", scaled, graph.constant([[weight]]))
    X = np.linspace(-3, 3, 50)[:, None]

    found = Session(graph.build(1, Matrix(product, (None,)))).run(X)

    np.testing.assert_array_equal(found, X / scale * weight)


def test_many_rows_are_scored_as_few_are() -> None:
    graph = Graph()
    twice = graph.node("Add", "X", "X")
    session = Session(graph.build(2, Matrix(twice, (None, None))))
    X = np.random.default_rng(0).normal(size=(10_001, 2))

    np.testing.assert_array_equal(session.run(X), 2 * X)
    assert session.run(X[:0]).shape == (0, 2)


def test_a_graph_without_nodes_gives_its_input() -> None:
    session = Session(Graph().build(1, Matrix("X", (None,))))

    np.testing.assert_array_equal(session.run(np.array([[3.0]])), [[3.0]])
