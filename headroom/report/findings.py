"""What policies found in a stack, as every format shows it: plain data, findings that refuse first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from headroom.spec.errors import StackFileError

Outcome = Literal["refused", "advice", "exempted"]
OUTCOMES: tuple[Outcome, ...] = ("refused", "advice", "exempted")

UNUSABLE = "usable"
"""The rule that stands for files that cannot be used, so that nothing could be judged by any other."""


@dataclass(frozen=True, slots=True)
class RuleNote:
    """A rule that was applied."""

    name: str
    description: str
    remedy: str
    family: str
    severity: str
    level: str
    reference: str
    frameworks: tuple[str, ...] = ()


UNUSABLE_NOTE = RuleNote(
    UNUSABLE,
    "The stack file, the settings of the policies and the records beside them can be used.",
    "Mend what the message names; each has its remedy.",
    "form",
    "critical",
    "mandatory",
    "Q2",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a change can be made: a file of the project, a dotted key in it, and its line if it is known."""

    file: str
    key: str = ""
    line: int | None = None

    def __str__(self) -> str:
        at = f"{self.file}:{self.line}" if self.line else self.file
        return f"{at} {self.key}".rstrip()


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that breaks a rule, and what comes of it."""

    rule: str
    outcome: Outcome
    severity: str
    resource: str
    message: str
    remedy: str
    place: Place
    exemption: str = ""
    """Who lets it pass until when and why; empty: nobody does."""

    def __str__(self) -> str:
        where = f"{self.resource}: " if self.resource else ""
        text = f"{where}{self.message}" + (f"; {self.remedy}" if self.remedy else "")
        return f"{text} (exempted by {self.exemption})" if self.exemption else text


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check of one stack came to."""

    stack: str
    resources: int
    """How many were judged; 0 where none could be."""
    rules: tuple[RuleNote, ...]
    findings: tuple[Finding, ...]
    judged: bool = True
    """Whether anything could be judged; where not, the findings say why."""

    @property
    def exit_code(self) -> int:
        """Return 0 where nothing is refused, 1 where something is, 2 where nothing could be judged."""
        if not self.judged:
            return 2
        return 1 if self.count("refused") else 0

    def count(self, outcome: Outcome) -> int:
        """Return how many findings have that outcome."""
        return sum(finding.outcome == outcome for finding in self.findings)

    def of_rule(self, name: str) -> tuple[Finding, ...]:
        """Return what one rule found."""
        return tuple(finding for finding in self.findings if finding.rule == name)


def order_findings(findings: Iterable[Finding], rules: Sequence[RuleNote]) -> tuple[Finding, ...]:
    """Return the findings, those that refuse first, then in the order of the rules and of the resources."""
    ranks = {rule.name: number for number, rule in enumerate(rules)}
    return tuple(
        sorted(
            findings,
            key=lambda each: (
                OUTCOMES.index(each.outcome),
                ranks.get(each.rule, len(ranks)),
                each.resource,
                each.message,
            ),
        )
    )


def describe_unusable(stack: str, error: StackFileError, lines: dict[str, int]) -> CheckResult:
    """Return the result for a stack that nothing could be judged of, a finding for each problem.

    `lines` are those of the stack file; a problem of another file has none.
    """
    from headroom.spec.lines import locate

    own = f"Pulumi.{stack}.yaml"
    file = error.file or own
    findings = tuple(
        Finding(
            UNUSABLE,
            "refused",
            UNUSABLE_NOTE.severity,
            "",
            problem.message,
            "",
            Place(file, problem.path, locate(lines, problem.path) if file == own else None),
        )
        for problem in error.problems
    )
    return CheckResult(stack, 0, (UNUSABLE_NOTE,), findings, judged=False)
