"""The same rules on what a program registers on mocks: no engine, no state, no credentials."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from policies.judgement import Verdict, judge
from policies.records import load_records
from policies.resources import Options, Resource, make_urn, plain
from policies.rules import Rule
from policies.settings import Settings


class Registration(Protocol):
    """A resource as a program asks the engine for it."""

    @property
    def type(self) -> str:
        """The token of its type."""
        ...

    @property
    def name(self) -> str:
        """Its name in the program."""
        ...

    @property
    def inputs(self) -> Mapping[str, Any]:
        """Its properties."""
        ...

    @property
    def options(self) -> Mapping[str, Any]:
        """`protect` and `ignore`, where they are set."""
        ...

    @property
    def parent(self) -> str:
        """The URN of its parent."""
        ...

    @property
    def provider(self) -> str:
        """The name of its provider."""
        ...

    @property
    def sources(self) -> Mapping[str, frozenset[str]]:
        """URNs of the resources whose outputs a property is made of, by the property."""
        ...


def read_registration(stack: str, given: Registration) -> Resource:
    """Return a registration as rules see it."""
    return Resource(
        given.type,
        given.name,
        make_urn(stack, given.type, given.name),
        plain(given.inputs),
        Options(
            protect=bool(given.options.get("protect")),
            parent=given.parent,
            ignored=tuple(given.options.get("ignore", ())),
            provider=given.provider,
            sources={key: found for key, found in given.sources.items() if found},
        ),
    )


def judge_offline(
    stack: str, registered: Iterable[Registration], root: Path, settings: Settings, rules: Sequence[Rule]
) -> tuple[Verdict, ...]:
    """Return what the rules find in the registrations of `stack`, of the project whose folder is `root`.

    Raises StackFileError for grants or promises that cannot be used: nothing is judged then.
    """
    resources = [read_registration(stack, each) for each in registered]
    return judge(resources, load_records(resources, root), settings, rules)
