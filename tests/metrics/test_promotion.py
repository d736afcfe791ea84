"""D7: the image of a model that was found good is copied, whole or not at all: in memory, and on a real registry."""

import io
import itertools
import json
from collections.abc import Callable, Generator
from functools import partial
from http.client import HTTPMessage
from urllib.request import Request

import pytest
from headroom_metrics import registry as registry_module
from headroom_metrics.errors import LateError, MetricsError, RegistryError
from headroom_metrics.promotion import Promotion, promote, read_parts, read_promotion
from headroom_metrics.registry import LARGEST_MANIFEST, Manifest, Registry, read_name
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.registries import (
    INDEX,
    MANIFEST,
    Asked,
    CutOffError,
    Front,
    Image,
    MemoryRegistry,
    Respond,
    Said,
    digest_of,
    find_digest,
    forward,
    is_whole,
    make_image,
    make_index,
    push,
    put_manifest,
    run_distribution,
    serve,
)

SHARED = b"shared" * 1000
PLATFORMS = (make_image(SHARED, b"amd64" * 2000, SHARED), make_image(SHARED, b"arm64", config=b"{}"))
IMAGE = make_index(*PLATFORMS)
_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with run_distribution(tmp_path_factory.mktemp("registry")) as url:
        yield url


@pytest.fixture(params=["memory", pytest.param("distribution", marks=pytest.mark.monitoring)])
def front(request: pytest.FixtureRequest) -> Generator[Front]:
    """A registry in memory, or the real one, with something in between that a test may make fail."""
    real = request.param == "distribution"
    behind = forward(request.getfixturevalue("distribution")) if real else MemoryRegistry().respond
    front = Front(behind)
    with serve(front.respond) as host:
        front.host = host
        yield front


class Copies:
    """An image that was pushed for a model of its own, and copies of it."""

    def __init__(self, front: Front, image: Image = IMAGE):
        number = next(_NUMBERS)
        self.front, self.image = front, image
        self.source, self.target = f"acme/prod-models/m{number}", f"acme/prod-validated/m{number}"
        push(front.behind, self.source, image)

    @property
    def promotion(self) -> Promotion:
        asked = f"{self.front.host}/{self.source}@{self.image.digest}", f"{self.front.host}/{self.target}"
        promotion = read_promotion(*asked, "7")
        assert promotion is not None
        return promotion

    def copy(self, seconds: float = 0, sleep: Callable[[float], None] = lambda _: None) -> None:
        promote(self.promotion, Registry(self.front.host, seconds, sleep=sleep))

    def is_there(self) -> bool:
        return is_whole(self.front.behind, self.target, self.image)

    def pullable(self) -> list[str]:
        """What a pod could be started from, or an index name."""
        digests = [digest_of(content) for _, content in self.image.manifests]
        return [each for each in (*digests, "7") if find_digest(self.front.behind, self.target, each)]


def test_an_image_is_copied_with_all_its_platforms_and_its_version(front: Front) -> None:
    """By reference: the registry is asked for no blob."""
    copies = Copies(front)
    copies.copy()
    assert copies.is_there()
    assert find_digest(front.behind, copies.target, "7") == IMAGE.digest
    assert not [each for each in front.asked if each.method == "GET" and each.what == "blobs"]


def test_done_again_it_writes_nothing(front: Front) -> None:
    copies = Copies(front)
    copies.copy()
    before = front.count("POST", "PUT")
    copies.copy()
    assert (front.count("POST", "PUT"), before > 0) == (before, True)


def _unable_to_mount(behind: Respond, asked: Asked) -> Said:
    if "mount" in asked.query:
        asked.query.clear()
    return behind(asked)


def test_where_nothing_is_given_by_reference_it_is_given_by_its_bytes(front: Front) -> None:
    copies = Copies(front)
    front.before = partial(_unable_to_mount, front.behind)
    copies.copy()
    assert copies.is_there()


def _cut_off_from(number: int, behind: Respond) -> Respond:
    asked_so_far = itertools.count()

    def respond(asked: Asked) -> Said:
        if next(asked_so_far) >= number:
            raise CutOffError
        return behind(asked)

    return respond


@pytest.mark.parametrize("mounts", [True, False])
def test_cut_off_at_any_request_nothing_is_there_that_lacks_a_part_and_once_more_all_is(
    front: Front, mounts: bool
) -> None:
    answer = front.behind if mounts else partial(_unable_to_mount, front.behind)
    for number in itertools.count():
        copies = Copies(front)
        front.before = _cut_off_from(number, answer)
        try:
            copies.copy()
        except LateError:
            done = False
        else:
            done = True
        for content in copies.pullable():
            part = next((each for each in PLATFORMS if each.digest == content), IMAGE)
            assert is_whole(front.behind, copies.target, part)
        front.before = front.behind
        copies.copy()
        assert copies.is_there()
        if done:
            break
    assert number > 15


@pytest.mark.parametrize("where", ["source", "target"])
def test_what_is_not_what_its_digest_says_is_refused(front: Front, where: str) -> None:
    copies = Copies(front)

    def respond(asked: Asked) -> Said:
        said = front.behind(asked)
        if asked.method == "GET" and getattr(copies, where) in asked.path and said.status == 200:
            said.body = said.body.replace(b'"schemaVersion": 2', b'"schemaVersion": 3')
            said.headers["Content-Length"] = str(len(said.body))
        return said

    front.before = respond
    with pytest.raises(RegistryError, match=r"is not what its digest says, but sha256:"):
        copies.copy()
    assert "7" not in copies.pullable()
    assert where == "target" or copies.pullable() == []


def test_bytes_that_are_not_what_their_digest_says_are_taken_by_no_registry(front: Front) -> None:
    copies = Copies(front)

    def respond(asked: Asked) -> Said:
        said = _unable_to_mount(front.behind, asked)
        if asked.method == "GET" and asked.what == "blobs":
            said.body = bytes(len(said.body))
        return said

    front.before = respond
    with pytest.raises(RegistryError, match="answered 400"):
        copies.copy()
    assert copies.pullable() == []


@pytest.mark.parametrize("status", [401, 403])
def test_what_may_not_be_done_is_not_tried_again_and_says_which_role_lacks(front: Front, status: int) -> None:
    copies = Copies(front)
    front.before = lambda asked: (
        Said(status, {}, b"denied") if asked.method == "POST" else front.behind(asked)
    )
    with pytest.raises(RegistryError, match=rf"{status}: denied; .*roles/artifactregistry.writer"):
        copies.copy(seconds=60, sleep=lambda _: pytest.fail("it waits"))
    assert copies.pullable() == []


@pytest.mark.parametrize("method", ["HEAD", "GET", "POST", "PUT"])
@pytest.mark.parametrize(("status", "seconds"), [(429, 7), (503, 20)])
def test_what_is_only_late_is_tried_again_no_sooner_than_asked(
    front: Front, method: str, status: int, seconds: int
) -> None:
    copies, slept, refused = Copies(front), [], []

    def respond(asked: Asked) -> Said:
        if asked.method == method and len(refused) < 3:
            refused.append(asked)
            return Said(status, {"Retry-After": str(seconds)})
        return front.behind(asked)

    front.before = respond
    copies.copy(seconds=60, sleep=slept.append)
    assert copies.is_there()
    assert (len(refused), min(slept)) == (3, seconds)


def test_one_that_stays_late_is_waited_for_no_longer_than_allowed(front: Front) -> None:
    copies, slept = Copies(front), []
    front.before = lambda _: Said(429, {"Retry-After": "soon"})
    registry = Registry(front.host, 60, clock=lambda: sum(slept), sleep=slept.append)
    with pytest.raises(LateError, match="was answered 429"):
        promote(copies.promotion, registry)
    assert (slept[:3], 30 < sum(slept) <= 60) == ([1, 2, 4], True)


def test_a_version_that_is_another_image_is_left_as_it_is(front: Front) -> None:
    """And nothing is copied."""
    copies, other = Copies(front), make_image(b"other")
    push(front.behind, copies.target, other)
    put_manifest(front.behind, copies.target, "7", *other.manifests[-1])
    with pytest.raises(RegistryError, match=rf"is another image already, {other.digest}; no tag is moved"):
        copies.copy()
    assert find_digest(front.behind, copies.target, "7") == other.digest
    assert copies.pullable() == ["7"]


def test_an_image_that_is_not_there_is_not_copied(front: Front) -> None:
    copies = Copies(front)
    copies.image = make_image(b"never pushed")
    with pytest.raises(RegistryError, match=r"is not there$"):
        copies.copy()


def test_the_token_goes_to_the_registry_and_nowhere_it_sends_on_to(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = MemoryRegistry()
    front, store = Front(memory.respond), Front(memory.respond)
    push(memory.respond, "models/m", IMAGE)
    token = Said(200, {}, b'{"access_token": "t0ken"}')
    with serve(front.respond) as host, serve(store.respond) as elsewhere, serve(lambda _: token) as metadata:
        monkeypatch.setenv("GCE_METADATA_HOST", metadata)
        monkeypatch.setattr(registry_module, "GOOGLE_HOSTS", registry_module.re.compile(host))

        def respond(asked: Asked) -> Said:
            if asked.method == "GET" and asked.what == "blobs":
                return Said(307, {"Location": f"http://{elsewhere}{asked.path}"})
            return _unable_to_mount(memory.respond, asked)

        front.before = respond
        promotion = read_promotion(f"{host}/models/m@{IMAGE.digest}", f"{host}/validated/m", "7")
        assert promotion is not None
        promote(promotion, Registry(host, 0))
    assert is_whole(memory.respond, "validated/m", IMAGE)
    assert {each.headers.get("Authorization") for each in front.asked} == {"Bearer t0ken"}
    assert {each.headers.get("Authorization") for each in store.asked} == {None}


def test_bytes_that_lie_elsewhere_are_not_fetched_in_plain_text() -> None:
    asked = Request("https://a.dev/v2/m/blobs/x", headers={"Authorization": "Bearer t0ken"})

    def send_on(to: str) -> Request | None:
        return registry_module._Redirects().redirect_request(asked, io.BytesIO(), 302, "", HTTPMessage(), to)

    safe, own = send_on("https://b.dev/x"), send_on("https://a.dev/x")
    assert safe is not None
    assert own is not None
    assert (safe.has_header("Authorization"), own.has_header("Authorization")) == (False, True)
    with pytest.raises(
        RegistryError, match=r"https://a.dev/v2/m/blobs/x: sends on to http://b.dev/x, in plain"
    ):
        send_on("http://b.dev/x?secret=1")


def test_without_a_token_it_is_waited_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:9")
    with pytest.raises(LateError, match=r"127.0.0.1:9: cannot be asked"):
        Registry("europe-docker.pkg.dev", 0).has_blob("acme/models/m", digest_of(b""))


@pytest.mark.parametrize(
    ("kind", "document", "phrase"),
    [
        (INDEX, {"manifests": [], "layers": []}, "says to be of another type"),
        (MANIFEST, {"manifests": [], "config": {}, "layers": []}, "says to be of another type"),
        (MANIFEST, {"mediaType": INDEX, "config": {}, "layers": []}, "says to be of another type"),
        ("application/vnd.docker.distribution.manifest.v1+json", {}, "which is not copied"),
        (MANIFEST, {"config": {"digest": "sha256:7", "size": 1}, "layers": []}, "is no manifest"),
        (MANIFEST, {"config": {"digest": digest_of(b""), "size": "1"}, "layers": []}, "is no manifest"),
        (INDEX, {"manifests": [7]}, "is no manifest"),
        (INDEX, [], "is no manifest"),
    ],
)
def test_a_manifest_that_can_be_read_in_two_ways_or_in_none_is_refused(
    kind: str, document: object, phrase: str
) -> None:
    with pytest.raises(RegistryError, match=phrase):
        read_parts(Manifest(kind, json.dumps(document).encode()))


def test_a_manifest_without_end_is_not_read() -> None:
    def respond(_: Asked) -> Said:
        return Said(200, {"Content-Type": MANIFEST}, bytes(LARGEST_MANIFEST + 1))

    with serve(respond) as host, pytest.raises(RegistryError, match="too many for a manifest"):
        Registry(host, 0).find_manifest("models/m", "7")


@pytest.mark.parametrize(
    ("source", "target", "tag", "phrase"),
    [
        ("a.dev/models/m:7", "a.dev/validated/m", "7", "is no image by its digest"),
        (f"a.dev/models/m@{IMAGE.digest}", None, "7", "one says nothing without the other"),
        (None, "a.dev/validated/m", "7", "one says nothing without the other"),
        (f"a.dev/models/m@{IMAGE.digest}", "b.dev/validated/m", "7", "b.dev is another registry than a.dev"),
        (f"a.dev/models/m@{IMAGE.digest}", "a.dev/models/m", "7", "is where the image comes from"),
        (f"a.dev/models/m@{IMAGE.digest}", "a.dev/validated/m:7", "7", "is no name of an image"),
        (f"a.dev/models/m@{IMAGE.digest}", "a.dev/validated/m", "a b", "can be no tag"),
        (f"models/m@{IMAGE.digest}", "models/n", "7", "is no name of an image"),
        (f"a.dev/models/../m@{IMAGE.digest}", "a.dev/validated/m", "7", "is no name of an image"),
    ],
)
def test_what_cannot_be_copied_is_refused_before_anything_is_judged(
    source: str | None, target: str | None, tag: str, phrase: str
) -> None:
    with pytest.raises(MetricsError, match=phrase):
        read_promotion(source, target, tag)


class Shelf:
    """A registry's repositories as sets, which fails at a step; nothing is put before its parts."""

    def __init__(self, manifests: dict[str, Manifest], steps: int):
        self.manifests, self.steps = manifests, steps
        self.there: set[str] = set()
        self.tagged: dict[str, Manifest] = {}

    def _step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise LateError("cut off")

    def find_manifest(self, repository: str, reference: str) -> Manifest | None:
        self._step()
        if repository == "models/m" or reference in self.there:
            return self.manifests.get(reference)
        return self.tagged.get(reference)

    def has_blob(self, _: str, digest: str) -> bool:
        self._step()
        return digest in self.there

    has_manifest = has_blob

    def copy_blob(self, digest: str, *_: object) -> None:
        self._step()
        self.there.add(digest)

    def put_manifest(self, _: str, reference: str, manifest: Manifest) -> None:
        self._step()
        parts = read_parts(manifest)
        assert {*parts.manifests, *(digest for digest, _ in parts.blobs)} <= self.there
        if reference == manifest.digest:
            self.there.add(reference)
        else:
            assert manifest.digest in self.there
            self.tagged[reference] = manifest


layers = st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=4).map(lambda each: make_image(*each))
indexes = st.lists(layers, max_size=3).map(lambda each: make_index(*each))
images = layers | indexes | st.lists(layers | indexes, max_size=3).map(lambda each: make_index(*each))


@given(image=images, cuts=st.lists(st.integers(0, 30), max_size=4))
def test_however_often_it_is_cut_off_at_the_end_all_is_there(image: Image, cuts: list[int]) -> None:
    by_digest = {digest_of(content): Manifest(kind, content) for kind, content in image.manifests}
    promotion = Promotion(read_name("a.dev/models/m"), image.digest, read_name("a.dev/validated/m"), "7")
    shelf = Shelf(by_digest, 0)
    for steps in (*cuts, 10_000):
        shelf.steps = steps
        try:
            promote(promotion, shelf)  # ty: ignore[invalid-argument-type] - what of it is asked
        except LateError:
            assert steps != 10_000
    assert shelf.there == by_digest.keys() | image.blobs.keys()
    assert shelf.tagged["7"].digest == image.digest
