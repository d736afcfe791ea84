"""Filters in the Logging query language: what they say, as far as it can be told without asking Google.

Read are quotation marks, parentheses, comments, AND, OR, NOT and the minus that stands for it, comparisons
and function calls. Not judged are the names of fields and functions, the kinds of values, and regular
expressions: Google alone knows these (cloud.google.com/logging/docs/view/logging-query-language, 2026-11).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

LONGEST_FILTER = 20_000
"""Characters (cloud.google.com/logging/quotas, 2026-11)."""

_DEEPEST = 50
_STRING = r'"(?:\\.|[^"\\])*"'
_PLAIN = r"[^\s\"'()=<>!~:,]"
_TOKEN = re.compile(
    rf"""(?P<space>\s+|--[^\n]*)
    |(?P<string>{_STRING})
    |(?P<operator>!=|!~|=~|>=|<=|=|>|<|:)
    |(?P<mark>[(),])
    |(?P<minus>-(?=["(A-Za-z]))
    |(?P<word>{_PLAIN}+(?:{_STRING}{_PLAIN}*)*)""",
    re.VERBOSE | re.DOTALL,
)
_KEYWORDS = ("AND", "OR", "NOT")


class FilterError(ValueError):
    """A filter that does not parse; says why and where, and never repeats the filter."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a filter, and where it begins, counted from 1."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field compared with a value: `severity>=ERROR`."""

    field: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments: `LOG_ID("stdout")`."""

    function: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A text that any field may hold."""

    text: str


@dataclass(frozen=True, slots=True)
class Logic:
    """Expressions of which all must hold (AND), one must (OR), or the only one must not (NOT)."""

    operator: Literal["AND", "OR", "NOT"]
    parts: tuple["Expression", ...]


Expression: TypeAlias = Comparison | Call | Text | Logic


def parse_filter(text: str) -> Expression:
    """Return what a filter says; OR binds more tightly than AND, which may be left out.

    Raises FilterError where it does not parse, is empty, or is longer than Google takes.
    """
    if len(text) > LONGEST_FILTER:
        raise FilterError(f"is {len(text):,} characters long, and Google takes {LONGEST_FILTER:,}")
    parser = _Parser(tuple(_tokenize(text)))
    expression = parser.parse_all()
    if parser.token is not None:
        raise parser.complain("nothing opens this parenthesis")
    return expression


def _tokenize(text: str) -> Iterator[Token]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise FilterError(f"does not parse at character {position + 1}: {_explain(text[position])}")
        if match.lastgroup != "space":
            yield Token(str(match.lastgroup), match.group(), position + 1)
        position = match.end()


def _explain(character: str) -> str:
    if character == '"':
        return "this quotation mark is never closed"
    return "texts stand in double quotation marks" if character == "'" else "no operator begins like this"


class _Parser:
    """Reads tokens from left to right, one level of the grammar a method."""

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0
        self._compared: tuple[str, str] | None = None
        """Field and operator where the parentheses hold values: `field=("a" OR "b")`."""

    @property
    def token(self) -> Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def complain(self, reason: str) -> FilterError:
        where = f"at character {self.token.at}" if self.token else "at its end"
        return FilterError(f"does not parse {where}: {reason}")

    def _take(self, *texts: str) -> Token | None:
        token = self.token
        if token is None or token.kind == "string" or token.text not in texts:
            return None
        self._next += 1
        return token

    def parse_all(self) -> Expression:
        """A conjunction: what stands side by side must all hold."""
        parts = [self._parse_any()]
        while self._take("AND") or (self.token is not None and self.token.text not in (")", ",")):
            parts.append(self._parse_any())
        return parts[0] if len(parts) == 1 else Logic("AND", tuple(parts))

    def _parse_any(self) -> Expression:
        parts = [self._parse_negation()]
        while self._take("OR"):
            parts.append(self._parse_negation())
        return parts[0] if len(parts) == 1 else Logic("OR", tuple(parts))

    def _parse_negation(self) -> Expression:
        is_negated = False
        while self._take("NOT", "-"):
            is_negated = not is_negated
        expression = self._parse_group() if self._take("(") else self._parse_restriction()
        return Logic("NOT", (expression,)) if is_negated else expression

    def _parse_group(self) -> Expression:
        opened = self._tokens[self._next - 1].at
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self.complain(f"parentheses are nested more than {_DEEPEST} deep")
        expression = self.parse_all()
        self._close(opened)
        self._depth -= 1
        return expression

    def _close(self, opened: int) -> None:
        if self._take(")") is None:
            raise self.complain(f"the parenthesis at character {opened} is not closed here")

    def _parse_restriction(self) -> Expression:
        left = self._parse_operand()
        if self._compared is not None:
            return Comparison(*self._compared, _unquote(left))
        if left.kind == "word" and (opened := self._take("(")):
            return Call(left.text, self._parse_arguments(opened.at))
        operator = self.token
        if operator is None or operator.kind != "operator":
            return Text(_unquote(left))
        self._next += 1
        if self._take("(") is None:
            return Comparison(left.text, operator.text, _unquote(self._parse_operand()))
        self._compared = (left.text, operator.text)
        values = self._parse_group()
        self._compared = None
        return values

    def _parse_operand(self) -> Token:
        token = self.token
        if token is None:
            raise self.complain("a field, text or value is missing")
        if token.kind not in ("string", "word") or token.text in _KEYWORDS:
            raise self.complain("a field, text or value is expected here")
        if token.text.upper() in _KEYWORDS:
            raise self.complain("AND, OR and NOT are written in capitals, and texts in quotation marks")
        self._next += 1
        return token

    def _parse_arguments(self, opened: int) -> tuple[str, ...]:
        arguments = []
        while self.token is not None and self.token.text != ")":
            arguments.append(_unquote(self._parse_operand()))
            if self._take(",") is None:
                break
        self._close(opened)
        return tuple(arguments)


def _unquote(token: Token) -> str:
    if token.kind != "string":
        return token.text
    return re.sub(r'\\(["\\])', r"\1", token.text[1:-1])
