"""Reads the part of PromQL that the rules are written in; what it does not know it refuses.

Grammar and precedence: prometheus.io/docs/prometheus/2.44/querying/operators, read 2026-11-21.
"""

import re
from dataclasses import dataclass
from functools import cache

from headroom.alerts.durations import parse_duration

AGGREGATIONS = frozenset({"sum", "min", "max", "avg", "count", "group", "topk", "bottomk", "quantile"})
COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
SET_OPERATORS = frozenset({"and", "unless", "or"})

_PRECEDENCE = (
    frozenset({"or"}),
    frozenset({"and", "unless"}),
    COMPARISONS,
    frozenset({"+", "-"}),
    frozenset({"*", "/", "%"}),
)
_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"[^"]*")
        |(?P<duration>\d+(?:ms|[smhdwy])(?:\d+(?:ms|[smhdwy]))*)
        |(?P<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?|\+?Inf|NaN)
        |(?P<word>[a-zA-Z_:][a-zA-Z0-9_:]*)
        |(?P<sign>=~|!~|!=|==|>=|<=|[-+*/%<>=(){}\[\],]))""",
    re.VERBOSE,
)


class PromqlError(ValueError):
    """An expression that is not PromQL, or PromQL that the rules do without."""


@dataclass(frozen=True, slots=True)
class Number:
    """A literal number or string."""

    text: str


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on a label of a selector."""

    label: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """Series of one metric; `range_seconds` is 0 for an instant."""

    metric: str
    matchers: tuple[Matcher, ...]
    range_seconds: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function of its arguments."""

    function: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Series brought together by labels."""

    operator: str
    by: tuple[str, ...]
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """Two sides; `on` is None where the operator has no matching, `grouped` with group_left."""

    operator: str
    left: "Node"
    right: "Node"
    on: tuple[str, ...] | None
    grouped: bool


Node = Number | Selector | Call | Aggregate | Binary


@dataclass(frozen=True, slots=True)
class Flag:
    """`max by (...) (max_over_time(SELECTOR)) > 0`: something was true within the window."""

    by: tuple[str, ...]
    selector: Selector


@cache
def parse_promql(expression: str) -> Node:
    """Return the expression as a tree. Raises PromqlError with what is wrong and where."""
    reader = _Reader(_tokenize(expression))
    node = reader.binary(0)
    if reader.peek():
        raise PromqlError(f"does not go on with {reader.peek()!r}")
    return node


def walk(node: Node) -> tuple[Node, ...]:
    """Return the node and all nodes below it."""
    if isinstance(node, Binary):
        below: tuple[Node, ...] = (node.left, node.right)
    else:
        below = node.arguments if isinstance(node, Call | Aggregate) else ()
    return (node, *(deeper for child in below for deeper in walk(child)))


def selectors(node: Node) -> tuple[Selector, ...]:
    """Return every selector of the expression."""
    return tuple(found for found in walk(node) if isinstance(found, Selector))


def branches(node: Node) -> tuple[Node, ...]:
    """Return what the expression joins by `or` at its top."""
    if isinstance(node, Binary) and node.operator == "or":
        return (*branches(node.left), *branches(node.right))
    return (node,)


def read_flag(node: Node) -> Flag | None:
    """Return the expression as a flag; None where it is none."""
    match node:
        case Binary(
            operator=">",
            left=Aggregate(
                operator="max",
                by=by,
                arguments=(Call(function="max_over_time", arguments=(Selector() as selector,)),),
            ),
            right=Number(text="0"),
        ):
            return Flag(by, selector)
    return None


def _tokenize(text: str) -> list[tuple[str, str]]:
    tokens, position, text = [], 0, text.rstrip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None or found.lastgroup is None:
            raise PromqlError(f"cannot be read at {text[position : position + 20]!r}")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        position = found.end()
    return tokens


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._next = 0

    def peek(self) -> str:
        return self._tokens[self._next][1] if self._next < len(self._tokens) else ""

    def take(self, expected: str = "") -> tuple[str, str]:
        if self._next >= len(self._tokens):
            raise PromqlError(f"ends where {expected or 'more'} is needed")
        kind, text = self._tokens[self._next]
        if expected and text != expected:
            raise PromqlError(f"has {text!r} where {expected!r} is needed")
        self._next += 1
        return kind, text

    def binary(self, level: int) -> Node:
        if level == len(_PRECEDENCE):
            return self.unit()
        left = self.binary(level + 1)
        while self.peek() in _PRECEDENCE[level]:
            operator = self.take()[1]
            if self.peek() == "bool":
                raise PromqlError("has bool, which makes every series fire")
            on, grouped = self.matching()
            left = Binary(operator, left, self.binary(level + 1), on, grouped)
        return left

    def matching(self) -> tuple[tuple[str, ...] | None, bool]:
        if self.peek() == "ignoring":
            raise PromqlError("has ignoring; say on (...) which labels must be equal")
        if self.peek() != "on":
            return None, False
        self.take()
        on = self.names()
        if self.peek() == "group_right":
            raise PromqlError("has group_right; turn the sides round and write group_left")
        if self.peek() != "group_left":
            return on, False
        self.take()
        if self.names():
            raise PromqlError("has group_left with labels; it takes none here")
        return on, True

    def names(self) -> tuple[str, ...]:
        found = []
        self.take("(")
        while self.peek() != ")":
            found.append(self.take()[1])
            if self.peek() == ",":
                self.take()
        self.take(")")
        return tuple(found)

    def unit(self) -> Node:
        if self.peek() == "(":
            self.take()
            inside = self.binary(0)
            self.take(")")
            return inside
        if self.peek() == "{":
            return self.selector("")
        kind, text = self.take()
        if kind in ("number", "string"):
            return Number(text)
        if kind != "word":
            raise PromqlError(f"has {text!r} where a value is needed")
        if text in AGGREGATIONS:
            return self.aggregate(text)
        return Call(text, self.arguments()) if self.peek() == "(" else self.selector(text)

    def aggregate(self, operator: str) -> Aggregate:
        if self.peek() != "by":
            raise PromqlError(f"has {operator} without by (...) before its argument")
        self.take()
        return Aggregate(operator, self.names(), self.arguments())

    def arguments(self) -> tuple[Node, ...]:
        found = []
        self.take("(")
        while self.peek() != ")":
            found.append(self.binary(0))
            if self.peek() == ",":
                self.take()
        self.take(")")
        return tuple(found)

    def selector(self, metric: str) -> Selector:
        matchers = self.matchers() if self.peek() == "{" else []
        named = [matcher for matcher in matchers if matcher.label == "__name__"]
        if any(matcher.operator != "=" for matcher in named):
            raise PromqlError("matches names of metrics by a regular expression, which the cloud refuses")
        metric = metric or (named[0].value if named else "")
        if not metric:
            raise PromqlError("has a selector without the name of a metric")
        if self.peek() == "offset":
            raise PromqlError("has offset, which the rules do without")
        rest = tuple(matcher for matcher in matchers if matcher.label != "__name__")
        return Selector(metric, rest, self.range_seconds())

    def range_seconds(self) -> int:
        if self.peek() != "[":
            return 0
        self.take()
        kind, text = self.take()
        if kind != "duration":
            raise PromqlError(f"has {text!r} where a duration is needed")
        self.take("]")
        return parse_duration(text)

    def matchers(self) -> list[Matcher]:
        found = []
        self.take("{")
        while self.peek() != "}":
            label, operator, value = self.take()[1], self.take()[1], self.take()[1]
            found.append(Matcher(label, operator, value.strip('"')))
            if self.peek() == ",":
                self.take()
        self.take("}")
        return found
