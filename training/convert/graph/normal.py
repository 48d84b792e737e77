"""The normal distribution in float64: its error function, distribution function and quantiles.

onnxruntime has Erf in float32 alone. The rational approximations are those of scipy: S. L. Moshier,
Methods and Programs for Mathematical Functions (Cephes), ndtr and ndtri.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from training.convert.graph.graph import Graph

_NEAR: Final = (
    (
        9.60497373987051638749e0,
        9.00260197203842689217e1,
        2.23200534594684319226e3,
        7.00332514112805075473e3,
        5.55923013010394962768e4,
    ),
    (
        1.0,
        3.35617141647503099647e1,
        5.21357949780152679795e2,
        4.59432382970980127987e3,
        2.26290000613890934246e4,
        4.92673942608635921086e4,
    ),
)
_TAIL: Final = (
    (
        2.46196981473530512524e-10,
        5.64189564831068821977e-1,
        7.46321056442269912687e0,
        4.86371970985681366614e1,
        1.96520832956077098242e2,
        5.26445194995477358631e2,
        9.34528527171957607540e2,
        1.02755188689515710272e3,
        5.57535335369399327526e2,
    ),
    (
        1.0,
        1.32281951154744992508e1,
        8.67072140885989742329e1,
        3.54937778887819891062e2,
        9.75708501743205489753e2,
        1.82390916687909736289e3,
        2.24633760818710981792e3,
        1.65666309194161350182e3,
        5.57535340817727675546e2,
    ),
)
_CENTRE: Final = (
    (
        -5.99633501014107895267e1,
        9.80010754185999661536e1,
        -5.66762857469070293439e1,
        1.39312609387279679503e1,
        -1.23916583867381258016e0,
    ),
    (
        1.0,
        1.95448858338141759834e0,
        4.67627912898881538453e0,
        8.63602421390890590575e1,
        -2.25462687854119370527e2,
        2.00260212380060660359e2,
        -8.20372256168333339912e1,
        1.59056225126211695515e1,
        -1.18331621121330003142e0,
    ),
)
_SIDES: Final = (
    (
        4.05544892305962419923e0,
        3.15251094599893866154e1,
        5.71628192246421288162e1,
        4.40805073893200834700e1,
        1.46849561928858024014e1,
        2.18663306850790267539e0,
        -1.40256079171354495875e-1,
        -3.50424626827848203418e-2,
        -8.57456785154685413611e-4,
    ),
    (
        1.0,
        1.57799883256466749731e1,
        4.53907635128879210584e1,
        4.13172038254672030440e1,
        1.50425385692907503408e1,
        2.50464946208309415979e0,
        -1.42182922854787788574e-1,
        -3.80806407691578277194e-2,
        -9.33259480895457427372e-4,
    ),
)
_FARTHEST: Final = 8.0
"""Beyond it the tail of the error function is below 1e-28, and 1 less it is 1."""

LEAST_SHARE: Final = 2e-14
"""The least probability whose quantile is computed."""


def error_function(graph: Graph, values: str) -> str:
    """Return ``erf(x)``."""
    size = graph.node("Abs", values)
    one = graph.constant(1.0)
    inner = graph.node("Min", size, one)
    near = graph.node("Mul", inner, _ratio(graph, graph.node("Mul", inner, inner), _NEAR))
    far = graph.node("Sub", one, _tail(graph, graph.node("Max", size, one)))
    bent = graph.node("Where", graph.node("Greater", size, one), far, near)
    return graph.node("Mul", graph.node("Sign", values), bent)


def _tail(graph: Graph, size: str) -> str:
    """Return ``1 - erf(x)`` of x above 1; what is not above 1e-28 is 0."""
    bounded = graph.node("Min", size, graph.constant(_FARTHEST))
    powers = graph.node("Exp", graph.node("Neg", graph.node("Mul", bounded, bounded)))
    tail = graph.node("Mul", powers, _ratio(graph, bounded, _TAIL))
    beyond = graph.node("GreaterOrEqual", size, graph.constant(_FARTHEST))
    return graph.node("Where", beyond, graph.constant(0.0), tail)


def probability(graph: Graph, values: str) -> str:
    """Return the probability that a normal variable is not greater, ``scipy.stats.norm.cdf``."""
    scaled = graph.node("Mul", values, graph.constant(np.sqrt(0.5)))
    size, one, half = graph.node("Abs", scaled), graph.constant(1.0), graph.constant(0.5)
    erf = error_function(graph, scaled)
    centre = graph.node("Add", half, graph.node("Mul", half, erf))
    lower = graph.node("Mul", half, _tail(graph, graph.node("Max", size, one)))
    upper = graph.node("Sub", one, lower)
    positive = graph.node("Greater", scaled, graph.constant(0.0))
    outside = graph.node("Where", positive, upper, lower)
    return graph.node("Where", graph.node("Greater", size, one), outside, centre)


def quantile(graph: Graph, shares: str) -> str:
    """Return ``scipy.stats.norm.ppf`` of probabilities between `LEAST_SHARE` and 1 less it."""
    one, edge = graph.constant(1.0), float(np.exp(-2.0))
    above = graph.node("Greater", shares, graph.constant(1.0 - edge))
    mirrored = graph.node("Where", above, graph.node("Sub", one, shares), shares)
    tail = _lower_quantile(graph, mirrored)
    signed = graph.node("Where", above, graph.node("Neg", tail), tail)
    inside = graph.node("Greater", mirrored, graph.constant(edge))
    return graph.node("Where", inside, _central_quantile(graph, mirrored), signed)


def _central_quantile(graph: Graph, shares: str) -> str:
    offset = graph.node("Sub", shares, graph.constant(0.5))
    square = graph.node("Mul", offset, offset)
    ratio = graph.node("Mul", square, _ratio(graph, square, _CENTRE))
    bent = graph.node("Add", offset, graph.node("Mul", offset, ratio))
    return graph.node("Mul", bent, graph.constant(np.sqrt(2 * np.pi)))


def _lower_quantile(graph: Graph, shares: str) -> str:
    doubled = graph.node("Mul", graph.node("Log", shares), graph.constant(-2.0))
    root = graph.node("Sqrt", graph.node("Max", doubled, graph.constant(1.0)))
    first = graph.node("Sub", root, graph.node("Div", graph.node("Log", root), root))
    inverse = graph.node("Div", graph.constant(1.0), root)
    second = graph.node("Mul", inverse, _ratio(graph, inverse, _SIDES))
    return graph.node("Neg", graph.node("Sub", first, second))


def _ratio(graph: Graph, values: str, coefficients: tuple[Sequence[float], Sequence[float]]) -> str:
    return graph.node("Div", *(_polynomial(graph, values, each) for each in coefficients))


def _polynomial(graph: Graph, values: str, coefficients: Sequence[float]) -> str:
    """Evaluate a polynomial by Horner's scheme, the highest power first."""
    first, *rest = coefficients
    result = graph.constant(first)
    for coefficient in rest:
        product = graph.node("Mul", result, values)
        result = graph.node("Add", product, graph.constant(coefficient))
    return result
