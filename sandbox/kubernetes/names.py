"""What an object may be called and labelled.

Source: k8s.io/apimachinery v0.36.3 pkg/util/validation/validation.go and the name functions of
k8s.io/kubernetes v1.36.3 pkg/apis, read 2026-11-21.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.kubernetes.kinds import Kind

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", re.ASCII)
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.ASCII)
_QUALIFIED: Final = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]", re.ASCII)
_LABEL_LENGTH: Final = 63
_SUBDOMAIN_LENGTH: Final = 253
# A job's name gets 11 characters added.
_CRON_JOB_LENGTH: Final = 52
_ANNOTATIONS_SIZE: Final = 256 * 1024
_DNS_LABEL_KINDS: Final = frozenset({"Namespace", "Service"})
_SUBDOMAIN_TEXT: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com')"
)
_LABEL_TEXT: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
    "and end with an alphanumeric character (e.g. 'my-name', or '123-abc')"
)
_QUALIFIED_TEXT: Final = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName', or 'my.name', or '123-abc')"
)


def check_metadata(kind: Kind, metadata: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with an object's name, namespace, labels and annotations: paths and reasons."""
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if isinstance(name, str):
        yield from (("metadata.name", reason) for reason in check_name(kind, name))
    if isinstance(namespace, str) and namespace:
        reasons = _check_text(namespace, _LABEL, _LABEL_LENGTH, _LABEL_TEXT)
        yield from (("metadata.namespace", reason) for reason in reasons)
    yield from _check_labels(metadata.get("labels"))
    yield from _check_annotations(metadata.get("annotations"))


def check_name(kind: Kind, name: str) -> Iterator[str]:
    """What is wrong with the name of an object of this kind."""
    if kind.group == "rbac.authorization.k8s.io":
        if name in (".", "..") or "/" in name or "%" in name:
            yield f"Invalid value: \"{name}\": may not be '.' or '..' and may not contain '/' or '%'"
    elif kind.is_built_in and kind.name in _DNS_LABEL_KINDS:
        yield from _check_text(name, _LABEL, _LABEL_LENGTH, _LABEL_TEXT)
    else:
        longest = _CRON_JOB_LENGTH if kind.is_built_in and kind.name == "CronJob" else _SUBDOMAIN_LENGTH
        yield from _check_text(name, _SUBDOMAIN, longest, _SUBDOMAIN_TEXT)


def _check_text(text: str, pattern: re.Pattern[str], longest: int, rule: str) -> Iterator[str]:
    if not pattern.fullmatch(text):
        yield f'Invalid value: "{text}": {rule}'
    if len(text) > longest:
        yield f'Invalid value: "{text}": must be no more than {longest} characters'


def _check_labels(labels: Any) -> Iterator[tuple[str, str]]:
    for key, value in labels.items() if isinstance(labels, dict) else ():
        yield from (("metadata.labels", reason) for reason in _check_key(key))
        if isinstance(value, str) and value:
            reasons = _check_text(value, _QUALIFIED, _LABEL_LENGTH, f"a valid label {_QUALIFIED_TEXT}")
            yield from ((f'metadata.labels["{key}"]', reason) for reason in reasons)


def _check_annotations(annotations: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(annotations, dict):
        return
    for key in annotations:
        yield from (("metadata.annotations", reason) for reason in _check_key(key.lower()))
    size = sum(len(key) + len(value) for key, value in annotations.items() if isinstance(value, str))
    if size > _ANNOTATIONS_SIZE:
        yield "metadata.annotations", f"Too long: may not be more than {_ANNOTATIONS_SIZE} bytes"


def _check_key(key: str) -> Iterator[str]:
    prefix, slash, name = key.rpartition("/")
    if slash and (not _SUBDOMAIN.fullmatch(prefix) or len(prefix) > _SUBDOMAIN_LENGTH):
        yield f'Invalid value: "{key}": prefix part {_SUBDOMAIN_TEXT}'
    if not _QUALIFIED.fullmatch(name) or len(name) > _LABEL_LENGTH:
        yield f'Invalid value: "{key}": name part {_QUALIFIED_TEXT}, of at most {_LABEL_LENGTH} characters'
