"""Copies the image of a model that was found good to where production takes its images from."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from headroom_metrics.errors import MetricsError, RegistryError
from headroom_metrics.registry import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    ImageName,
    Manifest,
    Registry,
    read_name,
    read_reference,
)

DEEPEST = 4
"""Indexes within indexes; what builders make has one."""

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Promotion:
    """Which image goes where, and under which tag people find it there."""

    source: ImageName
    digest: str
    target: ImageName
    tag: str

    @property
    def result(self) -> str:
        """The copy, as pods name it."""
        return f"{self.target}@{self.digest}"


@dataclass(frozen=True)
class Parts:
    """What a manifest names: other manifests by digest, and blobs by digest with their sizes in bytes."""

    manifests: tuple[str, ...] = ()
    blobs: tuple[tuple[str, int], ...] = ()


def read_promotion(source: str | None, target: str | None, tag: str) -> Promotion | None:
    """Return what is to be copied; None where nothing is. Raises MetricsError for what cannot be."""
    if source is None and target is None:
        return None
    if source is None or target is None:
        raise MetricsError("--copy-from and --copy-to: one says nothing without the other")
    (image, digest), place = read_reference(source), read_name(target)
    if image.host != place.host:
        raise MetricsError(f"--copy-to: {place.host} is another registry than {image.host}")
    if image == place:
        raise MetricsError(f"--copy-to: {place} is where the image comes from")
    if not _TAG.fullmatch(tag):
        raise MetricsError(f"--model-version: {tag!r} can be no tag of an image")
    return Promotion(image, digest, place, tag)


def promote(promotion: Promotion, registry: Registry) -> None:
    """Copy the image by its digest, and tag it. Done again it changes nothing.

    What is named goes before what names it, so that at no time there is an image that lacks a part. Raises
    RegistryError where it cannot be copied; what was copied by then no pod can be started from.
    """
    source, target = promotion.source.repository, promotion.target.repository
    tagged = registry.find_manifest(target, promotion.tag)
    if tagged is not None and tagged.digest != promotion.digest:
        raise RegistryError(
            f"{promotion.target}:{promotion.tag} is another image already, {tagged.digest}; no tag is moved"
        )
    _copy_manifest(promotion.digest, registry, source, target)
    copied = registry.find_manifest(target, promotion.digest)
    if copied is None:
        raise RegistryError(f"{promotion.result}: was copied and is not there")
    if tagged is None:
        registry.put_manifest(target, promotion.tag, copied)


def read_parts(manifest: Manifest) -> Parts:
    """Return what a manifest names. Raises RegistryError for one that can be read in two ways, or in none."""
    try:
        document = json.loads(manifest.content)
        _require_type(manifest, document)
        if manifest.type in INDEX_TYPES:
            return Parts(manifests=_unique(_read_digest(each) for each in document["manifests"]))
        blobs = (document["config"], *document["layers"])
        return Parts(blobs=_unique((_read_digest(each), _read_size(each)) for each in blobs))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RegistryError(f"{manifest.digest}: is no manifest of an image that can be read") from None


def _copy_manifest(digest: str, registry: Registry, source: str, target: str, depth: int = 0) -> None:
    if registry.has_manifest(target, digest):
        return
    if depth > DEEPEST:
        raise RegistryError(f"{digest}: is an index within more than {DEEPEST} others")
    manifest = registry.find_manifest(source, digest)
    if manifest is None:
        raise RegistryError(f"{source}@{digest}: is not there")
    parts = read_parts(manifest)
    for child in parts.manifests:
        _copy_manifest(child, registry, source, target, depth + 1)
    for blob, size in parts.blobs:
        if not registry.has_blob(target, blob):
            registry.copy_blob(blob, size, source, target)
    registry.put_manifest(target, digest, manifest)


def _require_type(manifest: Manifest, document: Mapping[str, Any]) -> None:
    """Registry and document have to agree, and no document may be an index and a manifest at a time."""
    is_index = manifest.type in INDEX_TYPES
    if not is_index and manifest.type not in MANIFEST_TYPES:
        raise RegistryError(f"{manifest.digest}: is of the type {manifest.type}, which is not copied")
    others = ("config", "layers") if is_index else ("manifests",)
    if document.get("mediaType", manifest.type) != manifest.type or any(name in document for name in others):
        raise RegistryError(f"{manifest.digest}: says to be of another type than {manifest.type}")


def _read_digest(descriptor: Mapping[str, Any]) -> str:
    digest = descriptor["digest"]
    if not _DIGEST.fullmatch(digest):
        raise ValueError
    return digest


def _read_size(descriptor: Mapping[str, Any]) -> int:
    size = descriptor["size"]
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ValueError
    return size


def _unique(parts: Iterator[Any]) -> tuple[Any, ...]:
    """The same layer may be there twice."""
    return tuple(dict.fromkeys(parts))
