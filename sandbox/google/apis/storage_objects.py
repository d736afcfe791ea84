"""storage.googleapis.com: objects of buckets, as text: added where none is, listed, read."""

import re
import time
from collections.abc import Mapping
from email import message_from_bytes
from http import HTTPStatus
from typing import Any, Final

from sandbox.google.apis.admin import load_settings
from sandbox.google.apis.exchange import Call, Route, denied, invalid
from sandbox.google.apis.storage import API, find_bucket
from sandbox.google.errors import ApiError
from sandbox.google.store import LIVE, WorldObject

OBJECT: Final = "gcp:storage/bucketObject:BucketObject"

_PARTS: Final = 2


def list_objects(call: Call) -> Mapping[str, Any]:
    """Metadata of the objects whose names begin as the query says, a page at a time."""
    bucket = _allow(call, "list")
    start = f"{bucket.id}/{call.query.get('prefix', [''])[-1]}"
    found = sorted(
        (item for item in call.store.objects(OBJECT, LIVE) if item.id.startswith(start)),
        key=lambda item: item.id,
    )
    items, token = call.page(found, "maxResults")
    body = {"kind": "storage#objects", "items": [_describe(item) for item in items]}
    return body | ({"nextPageToken": token} if token else {})


def read_object(call: Call) -> bytes:
    """What an object holds."""
    bucket = _allow(call, "get")
    found = call.store.find(OBJECT, f"{bucket.id}/{call.names['object']}")
    if found is None:
        raise ApiError(
            HTTPStatus.NOT_FOUND, f"No such object: {bucket.id}/{call.names['object']}", "notFound"
        )
    return str(found.properties["content"]).encode()


def add_object(call: Call) -> Mapping[str, Any]:
    """Keep an object that comes with its metadata in one request (uploadType=multipart)."""
    bucket = _allow(call, "create")
    metadata, content = _read_parts(call)
    name = str(metadata.get("name") or call.query.get("name", [""])[-1])
    if not name:
        raise invalid("Required")
    identity = f"{bucket.id}/{name}"
    with call.store.transaction():
        is_there = call.store.find(OBJECT, identity) is not None
        if is_there and call.query.get("ifGenerationMatch", [""])[-1] == "0":
            message = "At least one of the pre-conditions you specified did not hold."
            raise ApiError(HTTPStatus.PRECONDITION_FAILED, message, "conditionNotMet")
        if is_there:
            raise denied("storage.objects.delete", f"//storage.googleapis.com/projects/_/buckets/{identity}")
        number, now = call.store.next_number("objects"), time.time()
        properties = {
            "bucket": bucket.id,
            "name": name,
            "content": content,
            "contentType": metadata.get("contentType", "application/octet-stream"),
        }
        kept = WorldObject(OBJECT, identity, bucket.project, LIVE, number, now, now, properties)
        call.store.put(kept)
    return _describe(kept)


def _allow(call: Call, verb: str) -> WorldObject:
    bucket = find_bucket(call)
    permission = f"storage.objects.{verb}"
    if permission in load_settings(call.store, bucket.project).denied_permissions:
        raise denied(permission, f"//storage.googleapis.com/projects/_/buckets/{bucket.id}")
    return bucket


def _read_parts(call: Call) -> tuple[Mapping[str, Any], str]:
    head = f"Content-Type: {call.content_type}\r\n\r\n".encode()
    message = message_from_bytes(head + call.content)
    leaves = [part.get_payload(decode=True) for part in message.walk() if not part.is_multipart()]
    found = [leaf for leaf in leaves if isinstance(leaf, bytes)]
    if len(found) != _PARTS:
        raise invalid("The body must be metadata and content, as multipart/related.")
    return call.parse(found[0]), found[1].decode("utf-8")


def _describe(item: WorldObject) -> dict[str, Any]:
    return {
        "kind": "storage#object",
        "id": f"{item.id}/{item.sequence}",
        "name": item.properties["name"],
        "bucket": item.properties["bucket"],
        "generation": str(item.sequence),
        "contentType": item.properties["contentType"],
        "size": str(len(str(item.properties["content"]).encode())),
    }


_OBJECTS: Final = r"/storage/v1/b/(?P<bucket>[^/]+)/o"
ROUTES: Final = (
    Route(
        API,
        "GET",
        re.compile(_OBJECTS),
        list_objects,
        frozenset({"maxResults", "pageToken", "prefix", "projection"}),
    ),
    Route(API, "GET", re.compile(f"/download{_OBJECTS}/(?P<object>.+)"), read_object),
    Route(
        API,
        "POST",
        re.compile(f"/upload{_OBJECTS}"),
        add_object,
        frozenset({"ifGenerationMatch", "name", "uploadType"}),
    ),
)
