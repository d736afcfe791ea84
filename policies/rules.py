"""What a rule is, and what it finds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from headroom.spec.errors import Problem
from policies.resources import Resource

if TYPE_CHECKING:
    from policies.model import Model
    from policies.replacements import Step
    from policies.settings import Settings

Level = Literal["mandatory", "advisory", "disabled"]
Severity = Literal["low", "medium", "high", "critical"]
Family = Literal["quota", "operations", "security"]


@dataclass(frozen=True, slots=True)
class Framework:
    """A published set of rules that has the same rule: which, in which version, under which number."""

    name: str
    version: str
    reference: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that breaks a rule: the message says what and which value, the remedy what to do."""

    rule: str
    urn: str
    """Of the resource that is to be changed; empty where it is none."""
    resource: str
    """Its name, or that of what is no resource; exemptions go by it."""
    message: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.resource}: " if self.resource else ""
        return f"{where}{self.message}; {self.remedy}"


def split(problem: Problem) -> tuple[str, str]:
    """Return what planning says is wrong, and the remedy, which it puts last."""
    message, _, remedy = problem.message.rpartition("; ")
    return message, remedy


Found = tuple[Resource | str, str, str]
"""What a rule yields: the resource, or a name for what is none, such as a quota; then message and remedy."""

ResourceCheck = Callable[[Resource, "Settings"], Iterable[Found]]
StackCheck = Callable[["Model", "Settings"], Iterable[Found]]
StepsCheck = Callable[[Iterable["Step"], "Settings"], Iterable[Found]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule, and all that is said about it."""

    name: str
    """Lower-case words joined by hyphens, for good: settings and exemptions name it."""
    description: str
    family: Family
    severity: Severity
    level: Level = "mandatory"
    """What it is unless the settings say otherwise."""
    reference: str
    """The requirement or document that asks for it."""
    remedy: str
    """What to do in general; each finding says it for its case."""
    of_resource: ResourceCheck | None = None
    """What one resource shows by itself."""
    of_stack: StackCheck | None = None
    """What shows only in all resources together."""
    of_steps: StepsCheck | None = None
    """What shows only in the steps of a preview."""
    types: tuple[str, ...] = ()
    """The beginnings of the type tokens that `of_resource` looks at; empty: all."""
    frameworks: tuple[Framework, ...] = ()
    settings: tuple[str, ...] = ()
    """The keys of the settings by which the rule can be adjusted."""

    def check_resource(self, resource: Resource, settings: "Settings") -> list[Finding]:
        """Return what is wrong with one resource."""
        if self.of_resource is None or not self.looks_at(resource.type):
            return []
        return [self._found(found) for found in self.of_resource(resource, settings)]

    def check_stack(self, model: "Model", settings: "Settings") -> list[Finding]:
        """Return what is wrong with the stack as a whole."""
        return [self._found(found) for found in self.of_stack(model, settings)] if self.of_stack else []

    def check_steps(self, steps: Iterable["Step"], settings: "Settings") -> list[Finding]:
        """Return what is wrong with what a change would do."""
        return [self._found(found) for found in self.of_steps(steps, settings)] if self.of_steps else []

    def looks_at(self, kind: str) -> bool:
        """Return whether the rule has anything to say of resources of that type."""
        return not self.types or kind.startswith(self.types)

    def _found(self, found: Found) -> Finding:
        subject, message, remedy = found
        if isinstance(subject, str):
            return Finding(self.name, "", subject, message, remedy)
        return Finding(self.name, subject.urn, subject.name, message, remedy)
