"""Speaks to a container registry in the distribution protocol, version 1.1, as Artifact Registry does.

Sources: github.com/opencontainers/distribution-spec, spec.md;
docs.cloud.google.com/artifact-registry/docs/reference/docker-api, 2026-11.
"""

import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO, TypeVar
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from headroom_metrics.errors import LateError, MetricsError, QueryError, RegistryError
from headroom_metrics.prometheus import read_token

GOOGLE_HOSTS = re.compile(r"[a-z0-9-]+-docker\.pkg\.dev")
"""Asked with the token of the account that the process runs as."""

MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)

TIMEOUT_SECONDS = 60.0
LARGEST_MANIFEST = 4 * 2**20
"""Bytes that a registry takes in a manifest at least, and seldom more, by the specification."""

_LATE = (408, 429, 500, 502, 503, 504)
_LONGEST_WAIT_SECONDS = 15.0
_HERE = ("127.0.0.1", "localhost")
_PATH = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

_Answer = HTTPResponse | HTTPError
_T = TypeVar("_T")


@dataclass(frozen=True)
class ImageName:
    """An image without tag and digest: the host of its registry, and its repository there."""

    host: str
    repository: str

    def __str__(self) -> str:
        """Return it as pods name it."""
        return f"{self.host}/{self.repository}"


@dataclass(frozen=True)
class Manifest:
    """A manifest or an index: what it says, to the byte, and of which type it is."""

    type: str
    content: bytes

    @property
    def digest(self) -> str:
        """What it is called by: the hash of its bytes."""
        return f"sha256:{sha256(self.content).hexdigest()}"


def read_name(text: str) -> ImageName:
    """Return the image of a name such as `europe-west4-docker.pkg.dev/acme-ml/models/feed`.

    Raises MetricsError for any other, one with a tag or digest too.
    """
    host, _, path = text.partition("/")
    if not _is_host(host) or not _PATH.fullmatch(path):
        raise MetricsError(f"{text!r} is no name of an image: HOST/REPOSITORY/NAME, without tag and digest")
    return ImageName(host, path)


def read_reference(text: str) -> tuple[ImageName, str]:
    """Return image and digest of a reference: HOST/REPOSITORY/NAME@sha256:DIGEST. Raises MetricsError."""
    name, _, digest = text.partition("@")
    if not _DIGEST.fullmatch(digest):
        raise MetricsError(f"{text!r} is no image by its digest: HOST/REPOSITORY/NAME@sha256:DIGEST")
    return read_name(name), digest


class Registry:
    """The registry at `host`: what is only late is tried again for so many seconds from now on.

    One on this machine is spoken to in plain text, any other by TLS. Every method raises RegistryError where
    the registry refuses, or is late for longer.
    """

    def __init__(
        self,
        host: str,
        patience_seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ):
        scheme = "http" if host.partition(":")[0] in _HERE else "https"
        self._host, self._base = host, f"{scheme}://{host}"
        self._clock, self._sleep, self._end = clock, sleep, clock() + patience_seconds
        self._token: str | None = None
        self._opener: OpenerDirector = build_opener(_Redirects)

    def find_manifest(self, repository: str, reference: str) -> Manifest | None:
        """Return the manifest of a tag or a digest; None where there is none. What is not what its digest
        says is refused."""
        return self._persist(lambda: self._find_manifest(repository, reference))

    def has_blob(self, repository: str, digest: str) -> bool:
        """Return whether the repository has a blob: a layer, or the configuration of an image."""
        return self._persist(lambda: self._has(f"/v2/{repository}/blobs/{digest}"))

    def has_manifest(self, repository: str, digest: str) -> bool:
        """Return whether the repository has a manifest of that digest."""
        return self._persist(lambda: self._has(f"/v2/{repository}/manifests/{digest}"))

    def copy_blob(self, digest: str, size: int, source: str, target: str) -> None:
        """Give a blob of the repository `source` to the repository `target`: by reference, or where the
        registry does not do that, by its bytes."""
        self._persist(lambda: self._copy_blob(digest, size, source, target))

    def put_manifest(self, repository: str, reference: str, manifest: Manifest) -> None:
        """Put a manifest under a tag or its digest; all that it names has to be there already."""
        self._persist(lambda: self._put_manifest(repository, reference, manifest))

    def _persist(self, step: Callable[[], _T]) -> _T:
        """Take a step that may be taken again, until it succeeds, is refused, or the time is over."""
        wait = 1.0
        while True:
            try:
                return step()
            except LateError as error:
                pause = max(wait, error.wait_seconds)
                if self._clock() + pause > self._end:
                    raise
            self._sleep(pause)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)

    def _find_manifest(self, repository: str, reference: str) -> Manifest | None:
        url = f"{self._base}/v2/{repository}/manifests/{reference}"
        accept = {"Accept": ", ".join(MANIFEST_TYPES + INDEX_TYPES)}
        with self._ask("GET", url, (200, 404), headers=accept) as answer:
            if answer.status == 404:
                return None
            found = Manifest(answer.headers.get_content_type(), _read_all(answer, url))
        if _DIGEST.fullmatch(reference) and found.digest != reference:
            raise RegistryError(f"{url}: is not what its digest says, but {found.digest}")
        return found

    def _has(self, path: str) -> bool:
        accept = {"Accept": ", ".join(MANIFEST_TYPES + INDEX_TYPES)} if "/manifests/" in path else {}
        with self._ask("HEAD", self._base + path, (200, 404), headers=accept) as answer:
            return answer.status == 200

    def _copy_blob(self, digest: str, size: int, source: str, target: str) -> None:
        uploads = f"{self._base}/v2/{target}/blobs/uploads/"
        asked = f"{uploads}?{urlencode({'mount': digest, 'from': source})}"
        with self._ask("POST", asked, (201, 202), b"") as answer:
            if answer.status == 201:
                return
            place = urljoin(uploads, answer.headers.get("Location", ""))
        end = f"{place}{'&' if urlsplit(place).query else '?'}{urlencode({'digest': digest})}"
        given = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        with (
            self._ask("GET", f"{self._base}/v2/{source}/blobs/{digest}", (200,)) as blob,
            self._ask("PUT", end, (201, 204), blob, given),
        ):
            return

    def _put_manifest(self, repository: str, reference: str, manifest: Manifest) -> None:
        url = f"{self._base}/v2/{repository}/manifests/{reference}"
        with self._ask("PUT", url, (201,), manifest.content, {"Content-Type": manifest.type}) as answer:
            kept = answer.headers.get("Docker-Content-Digest", manifest.digest)
        if kept != manifest.digest:
            raise RegistryError(f"{url}: was kept as {kept}, and is {manifest.digest}")

    def _ask(
        self,
        method: str,
        url: str,
        expected: Collection[int],
        body: bytes | _Answer | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> _Answer:
        """Return the answer, of an expected status; the token goes to the registry's own host alone."""
        request = Request(url, body, {**(headers or {}), **self._authorize(url)}, method=method)  # noqa: S310 - http(s), as made above
        try:
            answer = self._opener.open(request, timeout=TIMEOUT_SECONDS)
        except HTTPError as error:
            if error.code in expected:
                return error
            with error:
                raise _explain(error, method, url) from None
        except (OSError, HTTPException) as error:
            raise LateError(f"{_shown(url)}: cannot be asked: {error}") from None
        if answer.status not in expected:
            with answer:
                raise RegistryError(f"{_shown(url)}: {method} was answered {answer.status}")
        return answer

    def _authorize(self, url: str) -> dict[str, str]:
        if not GOOGLE_HOSTS.fullmatch(self._host) or urlsplit(url).netloc != self._host:
            return {}
        try:
            self._token = self._token or read_token()
        except QueryError as error:
            raise LateError(str(error)) from None
        return {"Authorization": f"Bearer {self._token}"}


class _Redirects(HTTPRedirectHandler):
    """Blobs may lie elsewhere, where a token for the registry has no business, and never in plain text."""

    def redirect_request(
        self,
        req: Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> Request | None:
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if old.scheme == "https" and new.scheme != "https":
            raise RegistryError(f"{_shown(req.full_url)}: sends on to {_shown(newurl)}, in plain text")
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None and old.netloc != new.netloc:
            request.remove_header("Authorization")
        return request


def _explain(error: HTTPError, method: str, url: str) -> RegistryError:
    try:
        said = " ".join(error.read(2000).decode(errors="replace").split())[:200]
    except (OSError, HTTPException):
        said = ""
    what = f"{_shown(url)}: {method} was answered {error.code}: {said}".rstrip(": ")
    if error.code in _LATE:
        wait = error.headers.get("Retry-After", "")
        return LateError(what, float(wait) if wait.isdigit() else 0)
    if error.code in (401, 403):
        what += "; the account has to read the one repository (roles/artifactregistry.reader) and to write "
        what += "the other (roles/artifactregistry.writer)"
    return RegistryError(what)


def _shown(url: str) -> str:
    """What follows the path is the registry's own affair, and long."""
    return url.partition("?")[0]


def _read_all(answer: _Answer, url: str) -> bytes:
    try:
        content = answer.read(LARGEST_MANIFEST + 1)
    except (OSError, HTTPException) as error:
        raise LateError(f"{url}: cannot be read: {error}") from None
    if len(content) > LARGEST_MANIFEST:
        raise RegistryError(f"{url}: has more than {LARGEST_MANIFEST} bytes, too many for a manifest")
    return content


def _is_host(text: str) -> bool:
    """A first part without dot and port would be a repository of another registry, as Docker reads it."""
    return bool(re.fullmatch(r"[a-z0-9.-]+(:[0-9]+)?", text)) and (
        "." in text or ":" in text or text in _HERE
    )
