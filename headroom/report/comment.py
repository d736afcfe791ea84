"""What a pull request is told, as one comment: findings first, and never more than a comment can hold."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from headroom.planning.changes import StackChange
from headroom.planning.preview import PreviewSummary
from headroom.report.amounts import (
    PIPELINE_HEADINGS,
    POOL_HEADINGS,
    QUOTA_HEADINGS,
    count_unchanged,
    list_effects,
    show_pipeline,
    show_pool,
    show_quota,
)
from headroom.report.findings import CheckResult, Finding

MARKER = "<!-- headroom -->"
"""The first line, by which the comment of an earlier run is found and replaced."""

LIMIT = 64_000
"""Characters of a comment; GitHub takes 65,536 (docs.github.com, "Body is too long")."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~])")


@dataclass(frozen=True, slots=True)
class StackReport:
    """All that is known of a change to one stack; `problem` says why there is no change to show."""

    stack: str
    change: StackChange | None
    preview: PreviewSummary | None = None
    check: CheckResult | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of the comment: what stands before its rows, the rows, and how much they matter (0: most)."""

    head: tuple[str, ...]
    rows: tuple[str, ...]
    weight: int
    gap: str = "- …{} more"
    """The row that stands for those left out."""

    def __len__(self) -> int:
        return sum(len(line) + 1 for line in (*self.head, *self.rows, ""))


def render_comment(reports: Sequence[StackReport], unread: Sequence[str] = (), limit: int = LIMIT) -> str:
    """Return the comment as GitHub's Markdown, at most `limit` characters (2,000 at least).

    `unread` says of files that were to be part of it why they are not.

    Where it is too long, rows are left out of the middle of what matters least, and each gap says how many;
    findings that refuse go last, and then by rule rather than one by one.
    """
    blocks = [
        Block((MARKER, _headline(reports)), (), 0),
        *([Block(("### Not known", ""), tuple(f"- {plain(line)}" for line in unread), 1)] if unread else []),
        *(block for report in reports if (block := _refused(report))),
        *(block for report in reports for block in _change_blocks(report)),
        *(block for report in reports if (block := _others(report))),
    ]
    return "\n".join(
        line for block in _fit(blocks, reports, limit) for line in (*block.head, *block.rows, "")
    )


def _headline(reports: Sequence[StackReport]) -> str:
    checks = [report.check for report in reports if report.check]
    refused = sum(check.count("refused") for check in checks)
    advice = sum(check.count("advice") for check in checks)
    unchecked = [code(report.stack) for report in reports if not report.check]
    parts = [f"{refused} refused" if refused else "nothing refused", f"{advice} to look at twice"]
    if unchecked:
        parts = [*(parts if checks else ()), f"not checked: {', '.join(unchecked)}"]
    return f"## headroom: {', '.join(parts)}"


def _refused(report: StackReport) -> Block | None:
    found = [each for each in report.check.findings if each.outcome == "refused"] if report.check else []
    if not found:
        return None
    return Block((f"### Refused in {code(report.stack)}", ""), tuple(map(_bullet, found)), 0)


def _others(report: StackReport) -> Block | None:
    found = [each for each in report.check.findings if each.outcome != "refused"] if report.check else []
    if not found:
        return None
    title = f"### To look at twice, and exempted, in {code(report.stack)}"
    return Block((title, ""), tuple(map(_bullet, found)), 2)


def _bullet(finding: Finding) -> str:
    by = f" ({finding.outcome})" if finding.outcome != "refused" else ""
    return f"- **{plain(finding.rule)}**{by} {code(str(finding.place))} {plain(str(finding))}"


def _change_blocks(report: StackReport) -> list[Block]:
    title = f"### {code(report.stack)}"
    if report.change is None:
        return [Block((title, "", plain(report.problem)), (), 1)] if report.problem else []
    change = report.change
    effects = tuple(f"- {plain(line)}" for line in list_effects(change))
    pools = [show_pool(row, change) for row in change.pools if row.changed]
    limits = [row for row in change.pipelines if not row.derived]
    pipelines = [show_pipeline(row, change) for row in limits if row.changed]
    quotas = [show_quota(row) for row in change.quotas if row.changed]
    tables = (
        _table("How pools are shared", POOL_HEADINGS, pools, count_unchanged(change.pools), 1),
        _table("Pipelines", PIPELINE_HEADINGS, pipelines, count_unchanged(limits), 2),
        _table("Quotas of Google Cloud", QUOTA_HEADINGS, quotas, count_unchanged(change.quotas), 2),
    )
    return [
        Block((title, ""), effects, 1),
        *_preview_blocks(report.preview),
        *(table for table in tables if table),
    ]


def _preview_blocks(preview: PreviewSummary | None) -> list[Block]:
    if preview is None:
        return []
    counts = ", ".join(f"{count} {operation}" for operation, count in preview.counts)
    errors = tuple(f"- error: {plain(message)}" for message in preview.errors)
    gone = tuple(
        f"- **{what}** {code(step.name)} {code(step.type)}"
        for steps, what in ((preview.replaced, "replaced"), (preview.deleted, "deleted"))
        for step in steps
    )
    others = tuple(f"- {plain(operation)} {code(step.name)}" for operation, step in preview.others)
    return [
        Block((f"#### Preview: {plain(counts)}", ""), (*errors, *gone), 1),
        *([Block(("Created and updated:", ""), others, 3)] if others else []),
    ]


def _table(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], same: int, weight: int
) -> Block | None:
    lines = tuple(f"| {' | '.join(map(plain, row))} |" for row in rows)
    if not lines:
        return None
    head = (
        f"#### {title}: before → after; {same} more are as they were",
        "",
        f"| {' | '.join(headings)} |",
        f"|{' --- |' * len(headings)}",
    )
    return Block(head, lines, weight, "| …{} more |" + " |" * (len(headings) - 1))


def _fit(blocks: list[Block], reports: Sequence[StackReport], limit: int) -> list[Block]:
    for weight in (3, 2, 1):
        excess = _length(blocks) - limit
        for number in sorted(range(len(blocks)), key=lambda at: -len(blocks[at])):
            if excess > 0 and blocks[number].weight == weight:
                shorter = _cut(blocks[number], excess)
                excess -= len(blocks[number]) - len(shorter)
                blocks[number] = shorter
    if _length(blocks) <= limit:
        return blocks
    refused = {report.stack: _condense(report, limit // (2 * len(reports))) for report in reports}
    kept = [block for block in blocks if block.weight > 0]
    shown = [blocks[0], *(block for block in refused.values() if block), *kept]
    while _length(shown) > limit:
        shown.pop()
    return shown


def _length(blocks: Iterable[Block]) -> int:
    return sum(map(len, blocks))


def _cut(block: Block, excess: int) -> Block:
    """Leave rows out of the middle, so that at least `excess` characters go, or all rows."""
    rows = list(block.rows)
    left_out = 0
    saved = -len(block.gap.format(len(rows))) - 1
    while rows and saved < excess:
        saved += len(rows.pop(len(rows) // 2)) + 1
        left_out += 1
    if not left_out:
        return block
    middle = (len(rows) + 1) // 2
    return replace(block, rows=(*rows[:middle], block.gap.format(left_out), *rows[middle:]))


def _condense(report: StackReport, limit: int) -> Block | None:
    """Return what is refused by rule, with names of resources as far as there is room."""
    names: dict[str, list[str]] = {}
    for finding in report.check.findings if report.check else ():
        if finding.outcome == "refused":
            names.setdefault(finding.rule, []).append(finding.resource or str(finding.place))
    if not names:
        return None
    room = max(0, limit // len(names) - 100)
    rows = tuple(
        f"- **{plain(rule)}**: {len(found)} refused: {_shorten(', '.join(found), room)}"
        for rule, found in names.items()
    )
    head = (f"### Refused in {code(report.stack)}", "", "`headroom check` lists each with its remedy.", "")
    return Block(head, rows, 0)


def _shorten(text: str, room: int) -> str:
    return code(text if len(text) <= room else f"{text[: max(0, room - 1)]}…")


def code(text: str) -> str:
    """Return a text as code, in which nothing is markup; bars stand as such in tables too."""
    text = _one_line(text).replace("`", "'").replace("|", "\\|")
    return f"`{text or ' '}`"


def plain(text: str) -> str:
    """Return a text of which nothing is markup and that calls nobody, on one line."""
    return _SPECIAL.sub(r"\\\1", _one_line(text)).replace("@", "@\u200b")


def _one_line(text: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
