"""Registries that images are copied in: one in memory, the real Distribution registry, and faults before either."""

import json
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG, LAYER = "application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar+gzip"


def digest_of(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


@dataclass
class Asked:
    """A request as a registry gets it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def what(self) -> str:
        """`manifests` or `blobs`; uploads are blobs too."""
        return "manifests" if "/manifests/" in self.path else "blobs"


@dataclass
class Said:
    """Its answer."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


Respond = Callable[[Asked], Said]


class CutOffError(Exception):
    """The connection ends without an answer."""


@dataclass
class Image:
    """An image: its manifests, those that are named first, and its blobs."""

    manifests: list[tuple[str, bytes]]
    blobs: dict[str, bytes]

    @property
    def digest(self) -> str:
        return digest_of(self.manifests[-1][1])


def make_image(*layers: bytes, config: bytes = b'{"os":"linux"}') -> Image:
    """An image of one platform; a layer may be there twice."""
    blobs = {digest_of(each): each for each in (config, *layers)}
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _describe(CONFIG, config),
        "layers": [_describe(LAYER, layer) for layer in layers],
    }
    return Image([(MANIFEST, json.dumps(document).encode())], blobs)


def make_index(*images: Image) -> Image:
    """An index of images for several platforms."""
    children = [image.manifests[-1] for image in images]
    document = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [_describe(kind, content) for kind, content in children],
    }
    manifests = [each for image in images for each in image.manifests]
    blobs = {digest: blob for image in images for digest, blob in image.blobs.items()}
    return Image([*dict.fromkeys(manifests), (INDEX, json.dumps(document).encode())], blobs)


def _describe(kind: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest_of(content), "size": len(content)}


class MemoryRegistry:
    """Keeps blobs, manifests and tags for each repository; a manifest is taken once its parts are there."""

    def __init__(self) -> None:
        self.blobs: set[tuple[str, str]] = set()
        self.contents: dict[str, bytes] = {}
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}

    def respond(self, asked: Asked) -> Said:
        kind, _, reference = asked.path.removeprefix("/v2/").rpartition("/")
        repository, _, kind = kind.rpartition("/")
        if kind == "manifests":
            return self._manifest(asked, repository, reference)
        if kind == "uploads" or asked.method in ("POST", "PUT"):
            return self._upload(asked, repository.removesuffix("/blobs"))
        if (repository, reference) not in self.blobs:
            return Said(404)
        return Said(200, {"Content-Type": "application/octet-stream"}, self.contents[reference])

    def _manifest(self, asked: Asked, repository: str, reference: str) -> Said:
        if asked.method == "PUT":
            return self._put(asked, repository, reference)
        found = self.manifests.get((repository, reference))
        return Said(200, {"Content-Type": found[0]}, found[1]) if found else Said(404)

    def _put(self, asked: Asked, repository: str, reference: str) -> Said:
        document, digest = json.loads(asked.body), digest_of(asked.body)
        named = [*document.get("layers", []), *([document["config"]] if "config" in document else [])]
        lacking = any((repository, each["digest"]) not in self.blobs for each in named)
        lacking |= any(
            (repository, each["digest"]) not in self.manifests for each in document.get("manifests", [])
        )
        if lacking or (":" in reference and reference != digest):
            return Said(400, {}, b'{"errors": [{"code": "MANIFEST_BLOB_UNKNOWN"}]}')
        for name in {reference, digest}:
            self.manifests[repository, name] = (asked.headers["Content-Type"], asked.body)
        return Said(201, {"Docker-Content-Digest": digest})

    def _upload(self, asked: Asked, repository: str) -> Said:
        if asked.method == "POST":
            mounted = asked.query.get("mount", "")
            if (asked.query.get("from", ""), mounted) in self.blobs:
                self.blobs.add((repository, mounted))
                return Said(201, {"Location": f"/v2/{repository}/blobs/{mounted}"})
            return Said(202, {"Location": f"/v2/{repository}/blobs/uploads/7?state=x"})
        digest = digest_of(asked.body)
        if asked.query.get("digest") != digest:
            return Said(400, {}, b'{"errors": [{"code": "DIGEST_INVALID"}]}')
        self.blobs.add((repository, digest))
        self.contents[digest] = asked.body
        return Said(201)


class _AsIs(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def forward(upstream: str) -> Respond:
    """What the registry at `upstream` answers; addresses that it gives are of the one that is asked."""
    opener = build_opener(_AsIs)

    def respond(asked: Asked) -> Said:
        query = urlencode(asked.query)
        kept = ("Accept", "Content-Type", "Content-Length", "Authorization")
        headers = {name: value for name, value in asked.headers.items() if name in kept}
        url = f"{upstream}{asked.path}{'?' + query if query else ''}"
        body = asked.body if asked.method in ("POST", "PUT") else None
        try:
            answer = opener.open(Request(url, body, headers, method=asked.method), timeout=30)
        except HTTPError as error:
            answer = error
        with answer:
            given = {name: answer.headers[name] for name in _PASSED_ON if answer.headers[name]}
            if "Location" in given:
                given["Location"] = given["Location"].removeprefix(upstream)
            return Said(answer.status or 0, given, answer.read())

    return respond


_PASSED_ON = ("Content-Type", "Docker-Content-Digest", "Location", "Retry-After", "Content-Length")


class Front:
    """A registry behind what a test puts before it; keeps what it was asked."""

    def __init__(self, behind: Respond):
        self.behind, self.before = behind, behind
        self.asked: list[Asked] = []
        self.host = ""

    def respond(self, asked: Asked) -> Said:
        self.asked.append(asked)
        return self.before(asked)

    def count(self, *methods: str) -> int:
        return sum(each.method in methods for each in self.asked)


@contextmanager
def serve(respond: Respond) -> Generator[str]:
    """Serve; gives `127.0.0.1:PORT`."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                said = respond(Asked(self.command, parts.path, query, dict(self.headers.items()), body))
            except CutOffError:
                self.close_connection = True
                return
            self.send_response(said.status)
            length = said.headers.pop("Content-Length", "") if self.command == "HEAD" else ""
            for name, value in {**said.headers, "Content-Length": length or str(len(said.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(said.body)

        do_GET = do_HEAD = do_POST = do_PUT = _answer  # noqa: N815 - as the base class calls them

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base class has it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def run_distribution(folder: Path) -> Generator[str]:
    """Run the real registry with its files in the folder; gives its address."""
    from sandbox.tools.catalog import locate_binary
    from tests.monitoring.servers import find_free_port, is_up, wait_for

    port = find_free_port()
    configuration = {
        "version": 0.1,
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "images")}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    (folder / "registry.yaml").write_text(json.dumps(configuration))
    with (folder / "registry.log").open("wb") as said:
        command = [str(locate_binary("registry", print)), "serve", str(folder / "registry.yaml")]
        process = subprocess.Popen(command, stdout=said, stderr=said)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(lambda: is_up(f"{url}/v2/"), 30, (folder / "registry.log").read_text)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=20)


def push(respond: Respond, repository: str, image: Image) -> None:
    """Push as builders do."""
    for digest, blob in image.blobs.items():
        begun = respond(Asked("POST", f"/v2/{repository}/blobs/uploads/", {}, {}, b""))
        parts = urlsplit(begun.headers["Location"])
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()} | {"digest": digest}
        headers = {"Content-Type": "application/octet-stream"}
        assert respond(Asked("PUT", parts.path, query, headers, blob)).status == 201
    for kind, content in image.manifests:
        put_manifest(respond, repository, digest_of(content), kind, content)


def put_manifest(respond: Respond, repository: str, reference: str, kind: str, content: bytes) -> None:
    path = f"/v2/{repository}/manifests/{reference}"
    assert respond(Asked("PUT", path, {}, {"Content-Type": kind}, content)).status == 201


def find_digest(respond: Respond, repository: str, reference: str) -> str | None:
    """The digest of a tag or a digest; None where there is none."""
    headers = {"Accept": f"{MANIFEST}, {INDEX}"}
    said = respond(Asked("GET", f"/v2/{repository}/manifests/{reference}", {}, headers, b""))
    return digest_of(said.body) if said.status == 200 else None


def is_whole(respond: Respond, repository: str, image: Image) -> bool:
    """Whether all of an image can be pulled."""
    blobs = (respond(Asked("GET", f"/v2/{repository}/blobs/{each}", {}, {}, b"")) for each in image.blobs)
    return all(find_digest(respond, repository, digest_of(content)) for _, content in image.manifests) and (
        {digest_of(said.body) for said in blobs if said.status == 200} == set(image.blobs)
    )
