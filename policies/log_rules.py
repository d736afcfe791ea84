"""Rules for logs: those of every pipeline are kept for their time, and its owners can read them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from headroom.planning.addresses import is_example
from headroom.planning.log_filters import in_namespaces, workload_logs
from policies.model import Model
from policies.rbac_rules import ROLE_BINDING
from policies.resources import ABSENT, Missing, Resource, each, has_unknown, read
from policies.rules import Found, Rule
from policies.settings import Settings
from policies.tenancy import Namespace

LOG_BUCKET = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
_SINK = "gcp:logging/projectSink:ProjectSink"
_VIEW_GRANTS = (
    "gcp:logging/logViewIamBinding:LogViewIamBinding",
    "gcp:logging/logViewIamMember:LogViewIamMember",
)
_SERVICE = "logging.googleapis.com/"
_LISTED = re.compile(r"namespace_name=[(]([^()]*)[)]")
_NAME = re.compile(r'"([^"]*)"')
_WHOLE_PROJECT = re.compile(r'SOURCE[(]"projects/[^"]+"[)]')
_API_DEFAULT_DAYS = 30
"""What a bucket that says nothing keeps (cloud.google.com/logging/docs/buckets#custom-retention, 2026-11)."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A log bucket that something names: by its id, or by what the id will come from."""

    text: Any
    sources: frozenset[str]

    def is_same(self, other: "_Place") -> bool:
        if isinstance(self.text, str) and isinstance(other.text, str):
            return self.text in other.text or other.text in self.text
        return bool(self.sources & other.sources)


def listed_namespaces(text: str) -> list[str]:
    """Return the namespaces that a filter of the program names."""
    listed = _LISTED.search(text)
    return _NAME.findall(listed[1]) if listed else []


def taken_namespaces(sink: Resource, model: Model) -> frozenset[str]:
    """Return the namespaces all of whose logs a sink keeps in a log bucket, of those that it names."""
    exclusions = sink.read("exclusions")
    is_on = sink.read("disabled") in (ABSENT, False) and not has_unknown(exclusions)
    if not (is_on and _is_kept(sink) and _takes_whole(sink, model)):
        return frozenset()
    left_out = " ".join(str(read(exclusion, "filter")) for exclusion in each(exclusions))
    return frozenset(
        name for name in listed_namespaces(str(sink.read("filter"))) if f'"{name}"' not in left_out
    )


def _check_retention(model: Model, settings: Settings) -> Iterator[Found]:
    least = settings.logs.production_days if model.is_production else settings.logs.days
    for bucket in model.log_buckets:
        days = bucket.read("retentionDays")
        days = _API_DEFAULT_DAYS if days is ABSENT else days
        if isinstance(days, Missing):
            yield bucket, f"its retentionDays are {days.value}", f"set them to {least}"
        elif days < least:
            yield (
                bucket,
                f"keeps logs for {days:g} days, and the least is {least}",
                f"set retentionDays to {least}",
            )


def _check_routed(model: Model, _: Settings) -> Iterator[Found]:
    for space in filter(lambda space: space.is_ours, model.namespaces):
        sinks = _sinks_of(space, model.of(_SINK))
        if not any(_is_kept(sink) and _takes_whole(sink, model) for sink in sinks):
            yield (
                space.resource,
                "no sink keeps all of its logs in a log bucket, so some are read by everybody, or by nobody",
                "name the namespace in a sink's filter",
            )


def _check_readers(model: Model, _: Settings) -> Iterator[Found]:
    opened = [_place(grant, "bucket") for grant in model.of(*_VIEW_GRANTS)]
    views = [_place(view, "bucket") for view in model.log_views if _shows_all(view)]
    owned = _owned(model)
    for space in filter(lambda space: space.name in owned, model.namespaces):
        for sink in _sinks_of(space, model.of(_SINK)):
            place = _place(sink, "destination")
            if not (any(map(place.is_same, views)) and any(map(place.is_same, opened))):
                yield (
                    space.resource,
                    f"its owner {owned[space.name]} cannot read its logs, which {sink.name} keeps",
                    "keep a LogView of the bucket, and a LogViewIamBinding with its owner",
                )


def _shows_all(view: Resource) -> bool:
    """Whether whoever reads a view reads all that its bucket has of a project."""
    text = view.read("filter")
    return text in (ABSENT, "") or (isinstance(text, str) and _WHOLE_PROJECT.fullmatch(text) is not None)


def _owned(model: Model) -> dict[Any, str]:
    """Return the namespaces whose owner can be somebody, and the owner's address."""
    found = {}
    for binding in model.of(ROLE_BINDING):
        for subject in each(binding.read("subjects")):
            name = read(subject, "name")
            if isinstance(name, str) and "@" in name and not _is_nobodys(name):
                found[binding.namespace] = name
    return found


def _is_nobodys(address: str) -> bool:
    return is_example(address) or address.endswith(".gserviceaccount.com")


def _sinks_of(space: Namespace, sinks: Iterable[Resource]) -> list[Resource]:
    """Return the sinks that name a namespace; where none does, those that take whatever is left."""
    named = [sink for sink in sinks if f'"{space.name}"' in str(sink.read("filter"))]
    rest = [sink for sink in sinks if _takes_all_work(sink)]
    return [sink for sink in named or rest if not _leaves_out(sink, space)]


def _takes_all_work(sink: Resource) -> bool:
    text = sink.read("filter")
    return isinstance(text, str) and "k8s_container" in text and "namespace_name" not in text


def _leaves_out(sink: Resource, space: Namespace) -> bool:
    exclusions = sink.read("exclusions")
    if sink.read("disabled") not in (ABSENT, False) or has_unknown(exclusions):
        return True
    return any(f'"{space.name}"' in str(read(exclusion, "filter")) for exclusion in each(exclusions))


def _takes_whole(sink: Resource, model: Model) -> bool:
    """Whether the filter is the one that planning writes for what it names: any other may take less."""
    text, cluster = str(sink.read("filter")), workload_logs(model.stack, model.region)
    listed = listed_namespaces(text)
    return text == (f"{cluster}\nAND {in_namespaces(listed)}" if listed else cluster)


def _is_kept(sink: Resource) -> bool:
    destination = sink.read("destination")
    if isinstance(destination, str):
        return destination.startswith(_SERVICE)
    return sink.options.comes_from("destination", (LOG_BUCKET,))


def _place(resource: Resource, key: str) -> _Place:
    text = resource.read(key)
    return _Place(
        text.removeprefix(_SERVICE) if isinstance(text, str) else text,
        resource.options.sources.get(key, frozenset()),
    )


LOG_RULES = (
    Rule(
        name="logs-are-kept",
        description="Log buckets keep what they have for their time.",
        family="operations",
        severity="high",
        reference="M17",
        remedy="Set retentionDays to the least that policies/settings.yaml has.",
        of_stack=_check_retention,
        settings=("logs", "production"),
    ),
    Rule(
        name="logs-of-pipelines-are-routed",
        description="The logs of every pipeline go into a log bucket.",
        family="operations",
        severity="high",
        reference="M17",
        remedy="Name every namespace in a sink's filter.",
        of_stack=_check_routed,
    ),
    Rule(
        name="logs-have-readers",
        description="Whoever owns a pipeline can read its logs.",
        family="operations",
        severity="medium",
        reference="M17",
        remedy="Keep a view of each bucket, with its owner as reader.",
        of_stack=_check_readers,
    ),
)
