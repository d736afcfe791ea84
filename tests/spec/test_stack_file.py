"""What a stack file may say, and what is said about one that says something else."""

import json
from pathlib import Path
from typing import Any

import pytest

from headroom.spec.errors import StackFileError
from headroom.spec.secrets import Encrypted
from headroom.spec.stack_file import decode_config, load_config, parse_config


def problems_of(config: dict[str, Any]) -> list[str]:
    with pytest.raises(StackFileError) as refusal:
        parse_config(config, "Pulumi.test.yaml")
    return str(refusal.value).splitlines()


def put(config: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    *parents, last = path.split("/")
    node: Any = config
    for key in parents:
        node = node.setdefault(key, {})
    node[last] = value
    return config


def test_a_minimal_configuration_is_accepted(config: dict[str, Any]) -> None:
    platform = parse_config(config, "Pulumi.test.yaml")
    assert platform.pools["cpu"].nodes is not None
    assert platform.pools["cpu"].nodes.max == 4


def test_a_platform_cannot_be_changed(config: dict[str, Any]) -> None:
    platform = parse_config(config, "Pulumi.test.yaml")
    with pytest.raises(ValueError, match="frozen"):
        platform.project = "other"  # ty: ignore[invalid-assignment]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("headroom:pools/cpu/machine", "n2-standard-61", "headroom:pools.cpu.machine: is no machine type"),
        ("headroom:pools/cpu/machine", "a3-higpu-8g", "did you mean a3-highgpu-8g?"),
        ("headroom:pools/cpu/machin", "x", "headroom:pools.cpu.machin: is no key of this section; did you mean machine?"),
        ("headroom:pool", {}, "headroom:pool: is no key of this section; did you mean headroom:pools?"),
        ("headroom:pools/cpu/capacity", "spott", "headroom:pools.cpu.capacity: must be one of on-demand, spot"),
        ("headroom:pools/cpu/capacity", "spott", "did you mean spot?"),
        ("headroom:pools/cpu/capacity", {"names": ["a"]}, "headroom:pools.cpu.capacity: must say its kind"),
        ("headroom:pools/cpu/capacity", {"kind": "reservation"}, "headroom:pools.cpu.capacity.names: is required"),
        ("headroom:pools/cpu/capacity", {"kind": "spot", "nmes": []}, "headroom:pools.cpu.capacity.nmes: is no key"),
        ("headroom:pools/cpu/nodes/max", "12", "headroom:pools.cpu.nodes.max: must be a whole number"),
        ("headroom:pools/cpu/nodes/max", 1.5, "headroom:pools.cpu.nodes.max: must be a whole number"),
        ("headroom:pools/cpu/nodes/max", 0, "headroom:pools.cpu.nodes.max: must be at least 1"),
        ("headroom:pools/cpu/nodes/max", 10**12, "headroom:pools.cpu.nodes.max: must be at most 15000"),
        ("headroom:pools/cpu/nodes", {"min": 5, "max": 4}, "headroom:pools.cpu.nodes: min is 5, above max, which is 4"),
        ("headroom:pools/cpu/zones", ["us-centrall-a"], "headroom:pools.cpu.zones[0]: is no zone of Google Cloud"),
        ("headroom:pools/cpu/zones", "us-central1-a", "headroom:pools.cpu.zones: must be a list"),
        ("headroom:pools/CPU_1", {"machine": "n2-standard-8"}, "headroom:pools.CPU_1: is no valid name"),
        ("headroom:pools", {}, "headroom:pools: needs at least 1"),
        ("headroom:pools/cpu/nodes", 12, "headroom:pools.cpu.nodes: must be a mapping, such as {min: 0, max: 4}"),
        ("headroom:pools/cpu", None, "must be a mapping, such as {machine: n2-standard-16, nodes: {min: 0, max: 4}}"),
        ("headroom:cluster", 5, "headroom:cluster: must be a mapping with keys such as zones, release_channel"),
        ("headroom:pools/cpu/capacity", 7, "must be one of on-demand, spot, flex-start, queued, or a mapping"),
        ("headroom:pools/cpu/capacity", "reservation", "write {kind: reservation, names: [...]}"),
        ("headroom:pools/cpu/capacity", {"kind": "spott"}, "headroom:pools.cpu.capacity.kind: must be one of on-demand"),
        ("headroom:pools/cpu/upgrade", {"strategy": "surge", "max_surge": 0}, "headroom:pools.cpu.upgrade: max_surge and max_unavailable are both 0"),
        ("headroom:pools/cpu/upgrade", {"strategy": "x"}, "headroom:pools.cpu.upgrade.strategy: must be one of surge"),
        ("headroom:pools/cpu/capacity", {"kind": "reservation", "names": "a"}, "must be a list such as [h100-block]"),
        ("headroom:pools/cpu/zones", "us-central1-a", "must be a list such as [us-central1-a]"),
        ("headroom:pools/cpu/gpu", {"type": "t4"}, "choose one of nvidia-tesla-t4, nvidia-tesla-p4"),
        ("headroom:pools/A", {}, "headroom:pools.A: is no valid name: lower-case letters, digits and hyphens, a letter first and no hyphen last, at most 28 characters"),
        ("headroom:pipelines/A", {}, "no hyphen last, at most 40 characters"),
        ("headroom:environment/labels", {"A": "b"}, "a letter first, at most 63 characters"),
        ("headroom:environment/labels", {"a": "B"}, "lower-case letters, digits, hyphens and underscores, at most 63 characters"),
        ("headroom:pools/cpu/labels", {"-a": "b"}, "at most 63 characters; a domain and / may stand before"),
        ("headroom:pools/cpu/boot_disk", {"size": 100}, "headroom:pools.cpu.boot_disk.size: is less than 1Mi; did you mean 100Gi?"),
        ("headroom:pools", 5, "headroom:pools: must be a mapping"),
        ("headroom:environment/tier", "prod", "headroom:environment.tier: must be one of development, production"),
        ("gcp:region", "us-cental1", "gcp:region: is no region of Google Cloud; did you mean us-central1?"),
        ("gcp:project", "Acme ML", "gcp:project: must look like acme-ml-dev"),
        ("headroom:network/nodes", "10.0.0.1/20", "headroom:network.nodes: must be an IPv4 range"),
        ("headroom:cluster/maintenance", {"days": ["sun"], "start": "3:00", "hours": 4}, 'must look like 03:00'),
        ("headroom:pipelines/p", {"kind": "train"}, "headroom:pipelines.p.kind: must be one of data, training, validation, serving"),
        ("headroom:pipelines/p", {}, "headroom:pipelines.p: must say its kind"),
        (
            "headroom:pipelines/p",
            {"kind": "data", "model": "m", "owner": "ada", "limits": {"cpu": {}}},
            "headroom:pipelines.p.owner: must look like group:ads-ml@acme.example or user:ada@acme.example",
        ),
        (
            "headroom:pipelines/p",
            {"kind": "data", "model": "m", "owner": "user:a@b.co", "limits": {"cpu": {"cpu": {"guarantee": 2, "cap": 1}}}},
            "headroom:pipelines.p.limits.cpu.cpu: guarantee is 2, above cap, which is 1",
        ),
        (
            "headroom:pipelines/p",
            {"kind": "data", "model": "m", "owner": "user:a@b.co", "limits": {"cpu": {"cpus": 1}}},
            "headroom:pipelines.p.limits.cpu.cpus: is no key of this section; did you mean cpu?",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_key_and_what_would_be_right(
    config: dict[str, Any], path: str, value: object, expected: str
) -> None:
    lines = problems_of(put(config, path, value))
    assert any(expected in line for line in lines), lines
    assert all(line.startswith("Pulumi.test.yaml: ") for line in lines)


@pytest.mark.parametrize(
    ("resource", "limit", "expected"),
    [
        ("memory", {"guarantee": "lots", "cap": "4Gi"}, "memory.guarantee: must be a quantity in Kubernetes notation, such as 512Mi or 16Gi"),
        ("memory", {"guarantee": True, "cap": "4Gi"}, "memory.guarantee: must be a quantity such as 512Mi or 16Gi"),
        ("memory", {"guarantee": 0, "cap": 256}, "memory.cap: is less than 1Mi; did you mean 256Gi?"),
        ("memory", {"guarantee": 0, "cap": "256"}, "memory.cap: is less than 1Mi; did you mean 256Gi?"),
        ("memory", {"guarantee": 0, "cap": "1023Ki"}, "memory.cap: is less than 1Mi; write it with a unit, such as 16Gi"),
        ("cpu", {"guarantee": "lots", "cap": 4}, "cpu.guarantee: must be a quantity in Kubernetes notation, such as 4 or 500m"),
        ("cpu", 4, "cpu: must be a mapping, such as {guarantee: 8, cap: 16}"),
        ("gpus", {"guarantee": 0, "cap": 0}, "gpus.cap: must be at least 1; where it should use none, remove the pool from limits"),
        ("chips", {"guarantee": 0, "cap": 0}, "chips.cap: must be at least 1"),
    ],
)  # fmt: skip
def test_a_limit_that_cannot_be_meant_is_refused_with_what_may_be(
    config: dict[str, Any], resource: str, limit: object, expected: str
) -> None:
    pipeline = {"kind": "data", "model": "m", "owner": "user:a@b.co", "limits": {"cpu": {resource: limit}}}
    (line,) = problems_of(put(config, "headroom:pipelines/p", pipeline))
    assert f"headroom:pipelines.p.limits.cpu.{expected}" in line


def test_no_memory_and_one_mebibyte_are_accepted(config: dict[str, Any]) -> None:
    limits = {"cpu": {"memory": {"guarantee": 0, "cap": "1Mi"}}}
    pipeline = {"kind": "data", "model": "m", "owner": "user:a@b.co", "limits": limits}
    platform = parse_config(put(config, "headroom:pipelines/p", pipeline), "f")
    memory = platform.pipelines["p"].limits["cpu"].memory
    assert memory is not None
    assert (memory.guarantee, memory.cap) == (0, 2**20)


def test_a_list_whose_only_entry_is_wrong_is_not_called_too_short(config: dict[str, Any]) -> None:
    put(config, "headroom:pools/cpu/capacity", {"kind": "reservation", "names": ["A"]})
    (line,) = problems_of(config)
    assert "capacity.names[0]: must look like h100-block: lower-case letters" in line


def test_all_mistakes_are_reported_at_once(config: dict[str, Any]) -> None:
    put(config, "headroom:pools/cpu/machine", "n2")
    put(config, "headroom:environment/tier", "prod")
    del config["gcp:project"]
    assert len(problems_of(config)) == 3


def test_the_value_of_a_mistake_is_never_repeated(config: dict[str, Any]) -> None:
    put(config, "headroom:pools/cpu/machine", "hunter2-secret")
    put(config, "headroom:pools/cpu/capacity", "hunter2-secret")
    put(config, "headroom:cluster/private_registries", {"registry.example": "hunter2-secret"})
    put(config, "headroom:environment/labels", {"key": "hunter2 secret!"})
    assert len(lines := problems_of(config)) == 4
    assert "hunter2" not in "\n".join(lines)


def test_a_secret_is_a_reference_or_encrypted_and_never_shown(config: dict[str, Any]) -> None:
    reference = "projects/123456789012/secrets/registry-ca/versions/3"
    put(config, "headroom:cluster/private_registries", {"a.example": reference, "b.example": Encrypted()})
    platform = parse_config(config, "Pulumi.test.yaml")
    assert reference not in repr(platform)
    assert platform.cluster.private_registries["a.example"].get_secret_value() == reference


def test_what_is_encrypted_but_no_secret_is_refused_with_the_reason(config: dict[str, Any]) -> None:
    put(config, "headroom:pools/cpu/machine", Encrypted())
    put(config, "headroom:environment/labels", Encrypted())
    assert [line.split(": ", 2)[2][:12] for line in problems_of(config)] == ["is encrypted", "is encrypted"]


def test_keys_of_other_namespaces_are_left_alone(config: dict[str, Any]) -> None:
    config |= {"gcp:impersonateServiceAccount": "x", "other:token": Encrypted()}
    assert parse_config(config, "f").project == "acme-ml-test"


def test_pulumi_hands_over_the_same_platform_as_the_file(root: Path) -> None:
    for stack in ("dev", "prod"):
        config = load_config(root / f"Pulumi.{stack}.yaml")
        raw = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
        assert parse_config(decode_config(raw), "f") == parse_config(config, "f")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "has no `config:`"),
        (b"config: [1]", "has no `config:`"),
        (b"config: {1: 2}", "has no `config:`"),
        (b"\xff\xfe\x00\x01\x80", "is not text in UTF-8"),
        (b"config: {a: \x00}", "is not valid YAML"),
        (b"config: {a: b", "is not valid YAML"),
        (b"config:\n  a: 1\n  a: 2\n", "has the key a twice, at line 3"),
        (b"config:\n  headroom:pools: 1\n  headroom:pools: 2\n", "has the key headroom:pools twice, at line 3"),
        (b"config: {two words: 1, two words: 2}", "has the same key twice, at line 1"),
        (b"config: {%b: 1, %b: 2}" % (b"k" * 65, b"k" * 65), "has the same key twice, at line 1"),
        (b"config: !!python/object/apply:os.system [ls]", "is not valid YAML"),
        (b"config: " + b"[" * 20_000 + b"]" * 20_000, "nested too deeply"),
        (b"config: &a {b: *a}", "is not valid YAML|alias inside"),
        (b"a: &a [x,x,x,x,x,x,x,x,x,x]\n" + b"".join(
            b"%c: &%c [%s]\n" % (n, n, b",".join([b"*%c" % (n - 1)] * 10)) for n in range(98, 110)
        ), "expand to more than can be read"),
        (b"config: {? [a, b] : c}", "has a key that is no plain text"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_stack_file_gets_one_message(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "Pulumi.bad.yaml"
    path.write_bytes(content)
    with pytest.raises(StackFileError, match=expected) as refusal:
        load_config(path)
    assert str(refusal.value).startswith("Pulumi.bad.yaml: ")
    assert "\n" not in str(refusal.value)


def test_scalars_are_read_as_pulumi_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.t.yaml"
    path.write_text(
        'config: {x: {a: 03:00, b: yes, c: 2026-01-01, d: 1.30, e: "1", f: 010, g: true, h: ~, i: 12}}'
    )
    assert load_config(path)["headroom:x"] == {
        "a": "03:00", "b": "yes", "c": "2026-01-01", "d": 1.3, "e": "1", "f": "010", "g": True, "h": None, "i": 12,
    }  # fmt: skip


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StackFileError, match=r"Pulumi.x.yaml: cannot be read: No such file"):
        load_config(tmp_path / "Pulumi.x.yaml")


def test_keys_without_a_namespace_are_the_projects_own(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.t.yaml"
    path.write_text("config: {gcp:project: p, encryption: {protection: hsm}}")
    assert load_config(path) == {"gcp:project": "p", "headroom:encryption": {"protection": "hsm"}}


def test_what_only_the_project_file_sets_counts_too(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text(
        "name: headroom\nconfig:\n  gcp:region: us-east4\n  headroom:encryption: {value: {protection: hsm}}\n"
        "  network: {type: object, default: {pods: 10.64.0.0/13}}\n  gcp:project: {type: string}\n"
    )
    path = tmp_path / "Pulumi.t.yaml"
    path.write_text("config: {gcp:region: us-central1}")
    assert load_config(path) == {
        "gcp:region": "us-central1",
        "headroom:encryption": {"protection": "hsm"},
        "headroom:network": {"pods": "10.64.0.0/13"},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "config: {headrom:pools: {}}",
            "headrom:pools: is in no namespace that is read; did you mean headroom:pools?",
        ),
        ("config: {Headroom:pools: {}}", "did you mean headroom:pools?"),
        (
            "config: {}\nheadroom:pools: {}",
            "headroom:pools: is no key of a stack file, whose settings stand below",
        ),
        ("config: {gcp:credentials: hunter2}", "gcp:credentials: is a credential in plain text"),
    ],
)
def test_keys_that_nobody_would_read_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "Pulumi.t.yaml"
    path.write_text(text)
    with pytest.raises(StackFileError) as refusal:
        load_config(path)
    assert message in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


def test_credentials_that_are_encrypted_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.t.yaml"
    path.write_text("config: {gcp:credentials: {secure: v1:abc}, other:thing: 1}\nencryptionsalt: v1:x")
    assert load_config(path)["gcp:credentials"] == Encrypted()
