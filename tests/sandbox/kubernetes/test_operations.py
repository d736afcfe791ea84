"""What the provider does with an object: again where it may help, and until it is ready."""

import copy
import threading

import pytest

from sandbox.kubernetes.errors import ApiError, NoMatchError, PartialError, RefusedError, not_found
from sandbox.kubernetes.kinds import find_kind
from sandbox.kubernetes.operations import Operations, Task
from tests.sandbox.kubernetes.conftest import manifest, place

NAMESPACE = find_kind("v1", "Namespace")
TEAM = manifest("v1", "Namespace", "team")


class FakeCluster:
    """A cluster whose answers a test lays down: errors to raise first, then objects."""

    has_controllers = True
    retry_scale = 0.001

    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = []

    def _answer(self, name, how=None):
        self.calls.append((name, how))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return copy.deepcopy(answer)

    def find_kind(self, api_version, name):
        return find_kind(api_version, name)

    def read(self, where):
        return self._answer("read")

    def create(self, where, what, how):
        return self._answer("create", how)

    def apply(self, where, what, how):
        return self._answer("apply", how)

    def adopt(self, where, live, manager):
        return live

    def delete(self, where, propagation):
        return self._answer(f"delete {propagation}")


def job(**status):
    return manifest("batch/v1", "Job", "j", "team", status=status)


COMPLETE = job(conditions=[{"type": "Complete", "status": "True"}])
MISSING = not_found(NAMESPACE, "team")
GONE = not_found(find_kind("batch/v1", "Job"), "j")


def test_a_namespace_that_comes_late_is_waited_for():
    cluster = FakeCluster(MISSING, MISSING, TEAM)
    assert Operations(cluster).create(Task(TEAM, "mine")) == TEAM
    assert [name for name, _ in cluster.calls] == ["create"] * 3


def test_after_six_attempts_it_is_given_up():
    cluster = FakeCluster(MISSING)
    with pytest.raises(ApiError, match='namespaces "team" not found'):
        Operations(cluster).create(Task(TEAM, "mine"))
    assert len(cluster.calls) == 6


def test_any_other_refusal_is_final():
    """As on the real provider, where a webhook that does not answer fails the update."""
    cluster = FakeCluster(ApiError(500, "InternalError", "failed calling webhook"), TEAM)
    with pytest.raises(ApiError, match="failed calling webhook"):
        Operations(cluster).create(Task(TEAM, "mine"))
    assert len(cluster.calls) == 1


def test_on_trial_nothing_is_tried_twice_and_nothing_waited_for():
    cluster = FakeCluster(job())
    Operations(cluster).create(Task(job(), "mine", is_preview=True))
    ((name, how),) = cluster.calls
    assert name == "create"
    assert how.dry_run
    with pytest.raises(ApiError):
        Operations(FakeCluster(MISSING, TEAM)).create(Task(TEAM, "mine", is_preview=True))


def test_a_kind_that_is_not_served_is_named():
    with pytest.raises(NoMatchError, match=r'no matches for kind "Thing" in version "acme\.example/v1"'):
        Operations(FakeCluster(TEAM)).create(Task(manifest("acme.example/v1", "Thing", "t"), "mine"))


def test_an_object_that_is_there_is_refused_unless_the_provider_may_take_it():
    taken = ApiError(409, "AlreadyExists", 'namespaces "team" already exists')
    with pytest.raises(RefusedError, match=r"already exists.*pulumi import"):
        Operations(FakeCluster(taken)).create(Task(TEAM, "mine"))
    cluster = FakeCluster(TEAM)
    Operations(cluster).create(Task(TEAM, "mine", upsert=True))
    assert cluster.calls[0][0] == "apply"
    assert cluster.calls[0][1].manager == "mine"


def test_a_job_is_ready_once_it_has_completed():
    cluster = FakeCluster(job(), job(), COMPLETE)
    assert Operations(cluster).create(Task(job(), "mine")) == COMPLETE
    assert [name for name, _ in cluster.calls] == ["create", "read", "read"]


def test_a_job_that_failed_is_reported_with_its_reason_and_is_there():
    failed = job(
        conditions=[{"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "late"}]
    )
    with pytest.raises(PartialError, match=r"'team/j' failed to initialize") as error:
        Operations(FakeCluster(job(), failed)).create(Task(job(), "mine"))
    assert error.value.reasons == ("[DeadlineExceeded] late",)
    assert error.value.live == failed


def test_waiting_ends_with_the_timeout():
    with pytest.raises(PartialError, match="timed out waiting to be ready") as error:
        Operations(FakeCluster(job())).create(Task(job(), "mine", timeout=0.1))
    assert error.value.reasons == ("the job has not completed",)


@pytest.mark.parametrize(("option", "seconds"), [(0.0, 7.0), (3.0, 3.0)])
def test_the_resources_timeout_goes_before_the_annotations(option, seconds):
    what = {**job(), "metadata": {"annotations": {"pulumi.com/timeoutSeconds": "7"}}}
    assert Task(what, "mine", timeout=option).seconds == seconds
    assert Task(job(), "mine").seconds == 600


def test_waiting_ends_when_the_engine_says_so():
    operations = Operations(FakeCluster(job()), stop=threading.Event())
    operations.stop.set()
    with pytest.raises(PartialError, match="canceled while waiting"):
        operations.create(Task(job(), "mine"))


def test_a_service_waits_for_its_pods_unless_it_is_told_not_to():
    service = manifest("v1", "Service", "s", "team", spec={"selector": {"a": "b"}})
    endpoints = manifest("v1", "Endpoints", "s", "team", subsets=[{"addresses": [{"ip": "10.0.0.1"}]}])
    assert Operations(FakeCluster(service, endpoints)).create(Task(service, "mine")) == service
    with pytest.raises(PartialError) as error:
        Operations(FakeCluster(service)).create(Task(service, "mine", timeout=0.01))
    assert "does not target any Pods" in error.value.reasons[0]
    skipped = {
        **service,
        "metadata": {**service["metadata"], "annotations": {"pulumi.com/skipAwait": "true"}},
    }
    assert Operations(FakeCluster(skipped)).create(Task(skipped, "mine", timeout=0.01)) == skipped


def test_a_conflict_says_who_owns_the_field_and_what_to_do():
    conflict = ApiError(409, "Conflict", 'Apply failed with 1 conflict: conflict with "hpa": .spec.replicas')
    with pytest.raises(ApiError, match=r"ignore_changes(?s:.)*patchForce(?s:.)*\"hpa\": \.spec\.replicas"):
        Operations(FakeCluster(TEAM, conflict)).update(Task(TEAM, "mine"))


def test_an_annotation_or_the_provider_takes_fields_by_force():
    marked = {**TEAM, "metadata": {"name": "team", "annotations": {"pulumi.com/patchForce": "true"}}}
    for task, force in (
        (Task(TEAM, "m"), False),
        (Task(TEAM, "m", force=True), True),
        (Task(marked, "m"), True),
    ):
        cluster = FakeCluster(TEAM)
        Operations(cluster).update(task)
        assert cluster.calls[-1][1].force is force


def test_on_trial_the_providers_own_fields_from_before_are_no_conflict():
    managed = [{"manager": "pulumi-kubernetes", "operation": "Update", "fieldsV1": {}}]
    cluster = FakeCluster({**TEAM, "metadata": {"name": "team", "managedFields": managed}})
    Operations(cluster).update(Task(TEAM, "mine", is_preview=True))
    assert cluster.calls[-1][1].force


def test_a_deletion_is_over_when_the_object_is_gone():
    cluster = FakeCluster(None, job(), GONE)
    Operations(cluster).delete(Task(job(), "mine"), place("batch/v1", "Job", "j", "team"))
    assert [name for name, _ in cluster.calls] == ["delete Foreground", "read", "read"]


def test_what_is_gone_already_is_deleted_well():
    Operations(FakeCluster(GONE)).delete(Task(job(), "mine"), place("batch/v1", "Job", "j", "team"))


def test_finalizers_that_hold_a_deletion_up_are_named_when_the_time_is_over():
    """A pipeline with running jobs hangs on Kueue's finalizer."""
    held = {**job(), "metadata": {"name": "j", "finalizers": ["kueue.x-k8s.io/resource-in-use"]}}
    cluster = FakeCluster(None, held)
    with pytest.raises(PartialError, match=r"timed out.*\(kueue.x-k8s.io/resource-in-use\)"):
        Operations(cluster).delete(Task(job(), "mine", timeout=0.05), place("batch/v1", "Job", "j", "team"))


def test_a_refresh_reports_what_is_not_ready():
    where = place("batch/v1", "Job", "j", "team")
    assert Operations(FakeCluster(COMPLETE)).read(job(), where, is_import=False) == COMPLETE
    with pytest.raises(PartialError, match="failed to initialize"):
        Operations(FakeCluster(job())).read(job(), where, is_import=False)
    assert Operations(FakeCluster(job())).read({}, where, is_import=True) == job()
