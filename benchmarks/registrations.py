"""What one more pipeline costs the engine: the resources that the program registers for it, on mocks."""

from collections import Counter
from collections.abc import Callable

from benchmarks.recording import record, record_apart
from benchmarks.report import Figure, Report
from benchmarks.stack_files import build_contended_config

SIZES, QUICK_SIZES = (8, 40), (4, 8)
ROLES = (
    {"role": "roles/bigquery.jobUser"},
    {"role": "roles/bigquery.dataViewer", "dataset": "feed"},
    {"role": "roles/storage.objectUser", "bucket": "acme-feed"},
)
TARGET_OBJECTS, TARGET_BINDINGS = 8, len(ROLES)
KUBERNETES, BINDINGS = "kubernetes:", ("IAMMember", "IamMember")

Progress = Callable[[str], None]


def run(quick: bool, progress: Progress) -> Report:
    """Count what is registered for stacks of two sizes; the difference is the pipelines'."""
    fewer, more = QUICK_SIZES if quick else SIZES
    progress(f"registrations: {fewer} and {more} pipelines")
    few, many = (Counter(_tokens(size)) for size in (fewer, more))
    added = {token: (count - few[token]) / (more - fewer) for token, count in sorted(many.items())}
    each = {token: count for token, count in added.items() if count}
    objects = sum(count for token, count in each.items() if token.startswith(KUBERNETES))
    bindings = sum(count for token, count in each.items() if token.endswith(BINDINGS))
    return Report(
        f"Resources for one more pipeline with {len(ROLES)} cloud roles",
        ("resource", "for each pipeline"),
        tuple(each.items()),
        (
            Figure("Kubernetes objects", objects, "", TARGET_OBJECTS),
            Figure("bindings", bindings, "", TARGET_BINDINGS),
            Figure("all else", sum(each.values()) - objects - bindings, "", 0),
        ),
    )


def _tokens(pipelines: int) -> list[str]:
    config = build_contended_config(pipelines)
    for pipeline in config["headroom:pipelines"].values():
        pipeline["access"] = list(ROLES)
    return [row["token"] for row in record_apart(record, config)]
