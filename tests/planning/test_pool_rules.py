"""Every rule that a pool must obey: refused with its key, cause and fix, beside the case that just passes."""

from collections.abc import Callable
from typing import Any

import pytest

A = ["us-central1-a"]
L4 = {"machine": "g2-standard-48", "zones": A, "nodes": {"max": 4}}
H100 = {"machine": "a3-highgpu-8g", "zones": A, "nodes": {"max": 2}}
SLICE = {"machine": "ct5lp-hightpu-4t", "zones": A, "topology": "4x4", "slices": {"max": 2}}
CPU = {"machine": "n2-standard-16", "nodes": {"max": 4}}
N1 = {"machine": "n1-standard-8", "zones": A, "nodes": {"max": 4}}
A100 = {"machine": "a2-highgpu-1g", "zones": A, "nodes": {"max": 1}}

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "an accelerator needs zones": (
        L4, L4 | {"zones": []},
        "headroom:pools.p.zones: is required", "us-central1-a"),
    "zones lie in the region": (
        CPU | {"zones": A}, CPU | {"zones": ["europe-west4-a"]},
        "headroom:pools.p.zones[0]: is not in us-central1", "us-central1-f"),
    "a zone is named once": (
        L4, L4 | {"zones": A * 2},
        "headroom:pools.p.zones: names a zone twice", ""),
    "a zone has the machine": (
        SLICE, SLICE | {"zones": ["us-central1-f"]},
        "headroom:pools.p.zones[0]: does not have ct5lp-hightpu-4t", "us-central1-a"),
    "a3-highgpu-1g is not offered on demand": (
        H100, H100 | {"machine": "a3-highgpu-1g"},
        "headroom:pools.p.capacity: a3-highgpu-1g is not offered as on-demand", "flex-start"),
    "a4 is not offered on demand": (
        H100, {"machine": "a4-highgpu-8g", "zones": ["us-central1-b"], "nodes": {"max": 1}},
        "headroom:pools.p.capacity: a4-highgpu-8g is not offered as on-demand", "reservation"),
    "v4 has no flex-start": (
        SLICE | {"capacity": "flex-start"},
        {"machine": "ct4p-hightpu-4t", "zones": ["us-central2-b"], "topology": "2x2x2", "slices": {"max": 1},
         "capacity": "flex-start", "region": "us-central2"},
        "headroom:pools.p.capacity: ct4p-hightpu-4t is not offered as flex-start", "on-demand"),
    "a3-edgegpu has no flex-start": (
        H100 | {"capacity": "flex-start"},
        H100 | {"machine": "a3-edgegpu-8g", "capacity": "flex-start"},
        "headroom:pools.p.capacity: a3-edgegpu-8g is not offered as flex-start", ""),
    "a multi-host pool counts slices": (
        SLICE, {k: v for k, v in SLICE.items() if k != "slices"} | {"nodes": {"max": 4}},
        "headroom:pools.p.nodes: has no meaning for a multi-host topology", "slices"),
    "a multi-host pool needs slices": (
        SLICE, {k: v for k, v in SLICE.items() if k != "slices"},
        "headroom:pools.p.slices: is required", "{max: 1}"),
    "a pool of nodes needs nodes": (
        CPU, {"machine": "n2-standard-16"},
        "headroom:pools.p.nodes: is required", "{min: 0, max: 4}"),
    "slices are for multi-host topologies": (
        CPU, CPU | {"slices": {"max": 2}},
        "headroom:pools.p.slices: is for multi-host TPU topologies only", "use nodes"),
    "a pool has at most 1,000 nodes a zone": (
        L4 | {"nodes": {"max": 1000}}, L4 | {"nodes": {"max": 1001}},
        "headroom:pools.p.nodes.max: is above 1000", "in each of 1 zones"),
    "a topology is for TPUs": (
        CPU, CPU | {"topology": "2x2"},
        "headroom:pools.p.topology: is for TPUs only", "remove it"),
    "a topology must divide into machines": (
        SLICE, SLICE | {"topology": "3x5"},
        "headroom:pools.p.topology: ", "4x4"),
    "flex-start starts from none": (
        H100 | {"capacity": "flex-start"}, H100 | {"capacity": "flex-start", "nodes": {"min": 1, "max": 2}},
        "headroom:pools.p.nodes.min: must be 0", "flex-start"),
    "flex-start slices start from none": (
        SLICE | {"capacity": "flex-start"},
        SLICE | {"capacity": "flex-start", "slices": {"min": 1, "max": 2}},
        "headroom:pools.p.slices.min: must be 0", "flex-start"),
    "queued starts from none": (
        H100 | {"capacity": "queued"}, H100 | {"capacity": "queued", "nodes": {"min": 1, "max": 2}},
        "headroom:pools.p.nodes.min: must be 0", "queued"),
    "queued is not compact": (
        H100 | {"placement": "compact"}, H100 | {"capacity": "queued", "placement": "compact"},
        "headroom:pools.p.placement: cannot be compact with queued capacity", "remove it"),
    "flex-start has no upgrade of its own": (
        H100 | {"upgrade": "surge"}, H100 | {"capacity": "flex-start", "upgrade": "surge"},
        "headroom:pools.p.upgrade: has no effect on flex-start machines", "remove it"),
    "compact is one zone": (
        L4 | {"placement": "compact"},
        L4 | {"placement": "compact", "zones": ["us-central1-a", "us-central1-b"]},
        "headroom:pools.p.placement: compact means exactly one zone", "has 2"),
    "a zone of the cluster has the machine": (
        {"machine": "t2a-standard-4", "zones": A, "nodes": {"max": 1}},
        {"machine": "t2a-standard-4", "zones": ["us-central1-c"], "nodes": {"max": 1}},
        "headroom:pools.p.zones[0]: does not have t2a-standard-4", "us-central1-a"),
    "E2 cannot be compact": (
        CPU | {"placement": "compact", "zones": A},
        {"machine": "e2-standard-4", "zones": A, "nodes": {"max": 1}, "placement": "compact"},
        "headroom:pools.p.placement: e2 machines cannot be placed compactly", "remove it"),
    "compact has a most": (
        CPU | {"placement": "compact", "zones": A, "nodes": {"max": 150}},
        CPU | {"placement": "compact", "zones": A, "nodes": {"max": 151}},
        "headroom:pools.p.nodes.max: is above 150", "placed compactly"),
    "a slice is compact anyway": (
        SLICE, SLICE | {"placement": "compact"},
        "headroom:pools.p.placement: the hosts of a multi-host slice are close together", "remove it"),
    "part of a GPU is not divided": (
        A100 | {"gpu": {"partition": "1g.5gb"}},
        {"machine": "g4-standard-6", "zones": ["us-central1-b"], "nodes": {"max": 1},
         "gpu": {"partition": "1g.24gb"}},
        "headroom:pools.p.gpu.partition: g4-standard-6 has a part of a GPU", "remove it"),
    "7x rejects compact": (
        {"machine": "tpu7x-standard-4t", "zones": ["us-central1-c"], "nodes": {"max": 1}},
        {"machine": "tpu7x-standard-4t", "zones": ["us-central1-c"], "nodes": {"max": 1},
         "placement": "compact"},
        "headroom:pools.p.placement: TPU 7x rejects compact placement", "remove it"),
    "compact is not blue-green": (
        L4 | {"upgrade": "blue-green"}, L4 | {"upgrade": "blue-green", "placement": "compact"},
        "headroom:pools.p.upgrade: blue-green does not go with compact placement", "use surge"),
    "spot is not blue-green": (
        L4 | {"upgrade": "blue-green"}, L4 | {"upgrade": "blue-green", "capacity": "spot"},
        "headroom:pools.p.upgrade: blue-green keeps a second set of nodes", "use surge"),
    "slices are upgraded whole": (
        SLICE, SLICE | {"upgrade": "surge"},
        "headroom:pools.p.upgrade: a multi-host slice is upgraded as a whole", "remove it"),
    "only N1 takes GPUs": (
        N1 | {"gpu": {"type": "nvidia-tesla-t4", "count": 1}},
        CPU | {"gpu": {"type": "nvidia-tesla-t4", "count": 1}},
        "headroom:pools.p.gpu", "n2-standard-16"),
    "an attached GPU has a type": (
        N1 | {"gpu": {"type": "nvidia-tesla-t4", "count": 1}}, N1 | {"gpu": {"count": 1}},
        "headroom:pools.p.gpu.type: is required", "nvidia-tesla"),
    "an attached GPU has a count that the machine takes": (
        N1 | {"gpu": {"type": "nvidia-tesla-t4", "count": 4}},
        N1 | {"gpu": {"type": "nvidia-tesla-t4", "count": 3}},
        "headroom:pools.p.gpu.count: must be one of 1, 2, 4 on n1-standard-8", ""),
    "a machine with GPUs takes no others": (
        L4 | {"gpu": {"driver": "latest"}}, L4 | {"gpu": {"type": "nvidia-tesla-t4"}},
        "headroom:pools.p.gpu.type: is for N1 machines; g2-standard-48 brings 4", ""),
    "a CPU machine has no GPU settings": (
        CPU, CPU | {"gpu": {"driver": "latest"}},
        "headroom:pools.p.gpu: n2-standard-16 takes no GPU", "g2-standard-4"),
    "an L4 cannot be partitioned": (
        A100 | {"gpu": {"partition": "1g.5gb"}}, L4 | {"gpu": {"partition": "1g.5gb"}},
        "headroom:pools.p.gpu.partition: nvidia-l4 cannot be partitioned", "share it in time"),
    "a partition is one of the GPU's": (
        A100 | {"gpu": {"partition": "7g.40gb"}}, A100 | {"gpu": {"partition": "1g.10gb"}},
        "headroom:pools.p.gpu.partition: must be one of 1g.5gb", "did you mean 2g.10gb?"),
    "MPS does not work on partitions": (
        A100 | {"gpu": {"sharing": {"strategy": "mps", "clients": 4}}},
        A100 | {"gpu": {"partition": "1g.5gb", "sharing": {"strategy": "mps", "clients": 4}}},
        "headroom:pools.p.gpu.sharing: MPS does not work on MIG partitions", "time-sharing"),
    "a boot disk is one that the machine accepts": (
        CPU | {"boot_disk": {"type": "pd-ssd"}}, CPU | {"boot_disk": {"type": "pd-sdd"}},
        "headroom:pools.p.boot_disk.type: n2-standard-16 starts from", "did you mean pd-ssd?"),
    "v6e starts from hyperdisk": (
        {"machine": "ct6e-standard-4t", "zones": ["us-central1-b"], "nodes": {"max": 1}},
        {"machine": "ct6e-standard-4t", "zones": ["us-central1-b"], "nodes": {"max": 1},
         "boot_disk": {"type": "pd-ssd"}},
        "headroom:pools.p.boot_disk.type: ct6e-standard-4t starts from hyperdisk-balanced only", ""),
    "a boot disk is whole Gi": (
        CPU | {"boot_disk": {"size": "10Gi"}}, CPU | {"boot_disk": {"size": "10000Mi"}},
        "headroom:pools.p.boot_disk.size: must be a whole number of Gi", "from 10Gi"),
    "bundled local SSDs are not asked for": (
        N1 | {"local_ssd": 1}, H100 | {"local_ssd": 16},
        "headroom:pools.p.local_ssd: a3-highgpu-8g brings 16 local SSDs", "remove it"),
    "local SSDs come in certain counts": (
        CPU | {"local_ssd": 2}, CPU | {"local_ssd": 3},
        "headroom:pools.p.local_ssd: n2-standard-16 takes", ""),
    "E2 takes no local SSDs": (
        N1 | {"local_ssd": 1}, {"machine": "e2-standard-8", "nodes": {"max": 1}, "local_ssd": 1},
        "headroom:pools.p.local_ssd: e2-standard-8 takes none", "remove it"),
}  # fmt: skip


def place(config: dict[str, Any], pool: dict[str, Any]) -> None:
    region = pool.get("region", "us-central1")
    config["gcp:region"] = region
    config["headroom:cluster"]["zones"] = [f"{region}-a", f"{region}-b"] if region == "us-central1" else [
        f"{region}-b"
    ]  # fmt: skip
    config["headroom:pools"] = {"p": {key: value for key, value in pool.items() if key != "region"}}


@pytest.mark.parametrize("case", CASES)
def test_rule(
    case: str,
    config: dict[str, Any],
    refused: Callable[[], list[str]],
    plan_whole: Callable[[], object],
) -> None:
    passes, fails, message, fix = CASES[case]
    place(config, passes)
    plan_whole()
    place(config, fails)
    found = [problem for problem in refused() if problem.startswith(message)]
    assert found, refused()
    assert fix in found[0]


def test_a_pool_without_zones_of_its_own_is_held_to_the_clusters(
    config: dict[str, Any], refused: Callable[[], list[str]]
) -> None:
    config["headroom:cluster"]["zones"] = ["us-central1-a", "us-central1-c"]
    config["headroom:pools"] = {"p": {"machine": "t2a-standard-4", "nodes": {"max": 1}}}
    assert refused()[0].startswith(
        "headroom:pools.p.zones: is required: us-central1-c, one of the cluster's zones, does not have t2a"
    )


def test_a_pool_may_not_have_the_name_of_another_pools_slice(
    config: dict[str, Any], refused: Callable[[], list[str]]
) -> None:
    config["headroom:pools"] = {"v5e": SLICE, "v5e-0": CPU, "v5e-7": CPU}
    assert refused() == ["headroom:pools.v5e-0: has the name of a slice of v5e; choose another"]


@pytest.mark.parametrize("key", ["headroom/pool", "cloud.google.com/gke-spot", "x.kubernetes.io/y"])
def test_labels_of_others_cannot_be_taken(
    config: dict[str, Any], refused: Callable[[], list[str]], key: str
) -> None:
    config["headroom:pools"] = {"p": CPU | {"labels": {key: "a"}}}
    assert "is a label that GKE or headroom sets itself" in refused()[0]


@pytest.mark.parametrize("labels", [{"a-": "b"}, {"a": "-b"}, {"a": "b-"}, {"/a": "b"}])
def test_labels_are_such_as_kubernetes_accepts(
    config: dict[str, Any], refused: Callable[[], list[str]], labels: dict[str, str]
) -> None:
    config["headroom:pools"] = {"p": CPU | {"labels": labels}}
    assert len(refused()) == 1


def test_at_most_twenty_nodes_are_upgraded_at_once(
    config: dict[str, Any], refused: Callable[[], list[str]], plan_whole: Callable[[], object]
) -> None:
    surge = {"strategy": "surge", "max_surge": 12, "max_unavailable": 8}
    config["headroom:pools"] = {"p": CPU | {"upgrade": surge}}
    plan_whole()
    config["headroom:pools"] = {"p": CPU | {"upgrade": surge | {"max_surge": 13}}}
    assert "together are above 20" in refused()[0]


@pytest.mark.parametrize("size", [{"slices": {"max": 1}}, {"nodes": {"max": 1}}, {}])
def test_a_wrong_topology_is_the_only_complaint(
    config: dict[str, Any], refused: Callable[[], list[str]], size: dict[str, Any]
) -> None:
    machine = {"machine": "ct5lp-hightpu-4t", "zones": A, "topology": "3x5"}
    config["headroom:pools"] = {"p": machine | size}
    (problem,) = refused()
    assert problem.startswith("headroom:pools.p.topology: 3x5 is no topology")


def test_slices_without_a_topology_lack_the_topology(
    config: dict[str, Any], refused: Callable[[], list[str]]
) -> None:
    config["headroom:pools"] = {"p": {key: value for key, value in SLICE.items() if key != "topology"}}
    assert refused() == ["headroom:pools.p.topology: is missing: slices have one, such as 2x4"]


def test_a_machine_without_gpus_is_not_said_to_bring_some_nor_to_need_zones(
    config: dict[str, Any], refused: Callable[[], list[str]]
) -> None:
    config["headroom:pools"] = {"p": CPU | {"gpu": {"type": "nvidia-tesla-t4", "count": 1}}}
    assert refused() == [
        "headroom:pools.p.gpu: n2-standard-16 takes no GPU; choose an N1 machine, or one that has some"
    ]


def test_a_reservation_is_named_once(config: dict[str, Any], refused: Callable[[], list[str]]) -> None:
    capacity = {"kind": "reservation", "names": ["a", "a"]}
    config["headroom:pools"] = {"p": H100 | {"capacity": capacity}}
    assert "names a reservation twice" in refused()[0]


def test_problems_of_form_and_of_substance_are_reported_together(
    config: dict[str, Any], refused: Callable[[], list[str]]
) -> None:
    config["headroom:pools"] = {"a": CPU | {"machine": "n2-standard-17"}, "b": L4 | {"zones": []}, "c": CPU}
    config["headroom:pipelines"] = {
        "p": {"kind": "data", "model": "m", "owner": "user:a@b.co", "limits": {"a": {}, "c": {}}}
    }
    assert [problem.split(":")[1].split(" ")[0] for problem in refused()] == [
        "pools.a.machine",
        "pools.b.zones",
    ]
