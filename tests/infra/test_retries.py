"""What is only late is tried again; what is final fails at once."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import retries
from infra.retries import LATE, LONGEST_DELAY_SECONDS, MAX_ATTEMPTS, delay_seconds, find_lateness

CASES = [
    (
        "Kueue's webhook",
        'Internal error occurred: failed calling webhook "mclusterqueue.kb.io": no endpoints available',
    ),
    (
        "the agent's",
        "googleapi: Error 400: Cloud KMS: Permission 'cloudkms.cryptoKeyVersions.useToEncrypt' denied for service-1@container-engine-robot.iam.gserviceaccount.com",
    ),
    (
        "the API was",
        "googleapi: Error 403: Kubernetes Engine API has not been used in project 1 before or it is disabled., SERVICE_DISABLED",
    ),
    (
        "the account",
        "googleapi: Error 400: Service account service-1@compute-system.iam.gserviceaccount.com does not exist., badRequest",
    ),
    (
        "the account",
        "googleapi: Error 404: Unknown service account, notFound: serviceAccount:nodes@acme.iam.gserviceaccount.com",
    ),
    (
        "the identity pool",
        "Error 400: Identity Pool does not exist (acme.svc.id.goog). Please check that you specified a valid resource name",
    ),
    (
        "the permission",
        "googleapi: Error 403: Permission 'cloudkms.cryptoKeys.get' denied on resource (or it may not exist)., forbidden",
    ),
    (
        "somebody else",
        "googleapi: Error 409: There were concurrent policy changes. Please retry the whole read-modify-write., aborted",
    ),
    (
        "too many",
        "googleapi: Error 429: Quota exceeded for quota metric 'Mutate requests' and limit 'Mutate requests per minute', rateLimitExceeded",
    ),
    (
        "too many",
        "the server has received too many requests and has asked us to try again later (post queues)",
    ),
    ("the service is not", "googleapi: Error 503: The service is currently unavailable., backendError"),
    ("the service is not", "the server is currently unable to handle the request (post clusterqueues)"),
    (
        "it is not ready",
        "googleapi: Error 400: The resource 'projects/p/global/networks/n' is not ready, resourceNotReady",
    ),
]

FINAL = [
    "googleapi: Error 403: Quota 'NVIDIA_L4_GPUS' exceeded. Limit: 8.0 in region us-central1., quotaExceeded",
    "googleapi: Error 409: Already exists: projects/p/locations/l/clusters/c., alreadyExists",
    "Error 403: billing is not enabled for this project, permission denied",
    "timeout while waiting for state to become 'DONE' (last state: 'RUNNING', timeout: 30m0s)",
    "Error waiting for creating GKE NodePool: timeout while waiting for state to become 'DONE' (last state: 'RUNNING', timeout: 30m0s): Error 503: node pool is not ready",
    "Post https://container.googleapis.com/v1/: read tcp: connection reset by peer",
    "the server was unable to return a response in the time allotted, but may still be processing the request",
    "googleapi: Error 400: Invalid value for field 'resource.name', invalid",
    "cannot destroy cluster because deletion_protection is set to true",
    "",
]


@pytest.mark.parametrize(("reason", "error"), CASES)
def test_what_is_only_late_is_tried_again_and_the_reason_named(reason: str, error: str) -> None:
    late = find_lateness([error])
    assert late is not None
    assert late.reason.startswith(reason)


def test_every_reason_has_a_case() -> None:
    assert {find_lateness([error]) for _, error in CASES} == set(LATE)


@pytest.mark.parametrize("error", FINAL)
def test_what_is_final_is_not(error: str) -> None:
    assert find_lateness([error]) is None


def test_a_project_that_is_called_billing_is_no_billing_error() -> None:
    error = "googleapi: Error 503: The service is currently unavailable for project acme-billing-ml., backendError"
    assert find_lateness([error]) is not None


def test_the_newest_error_decides() -> None:
    late = CASES[0][1]
    assert find_lateness([FINAL[0], late]) is None
    assert find_lateness([late, FINAL[0]]) is not None
    assert find_lateness([]) is None


@pytest.mark.parametrize(("reason", "error"), CASES)
def test_tries_are_bounded(reason: str, error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(retries.SCALE_VARIABLE, "0")
    monkeypatch.setattr(retries.pulumi.log, "info", lambda text: None)
    late = find_lateness([error])
    assert late is not None

    def retried(attempts: int) -> bool:
        args = retries.pulumi.ErrorHookArgs(
            "urn", "id", "name", "type", None, None, None, "create", [error] * attempts
        )
        return asyncio.run(retries._retry_if_late(args))

    assert retried(1)
    assert retried(late.attempts - 1)
    assert not retried(late.attempts)


def test_a_right_that_the_caller_lacks_is_not_tried_for_long() -> None:
    late = find_lateness(
        ["googleapi: Error 403: Permission 'x.y.create' denied on resource (or it may not exist)."]
    )
    assert late is not None
    assert sum(delay_seconds(attempt) for attempt in range(1, late.attempts)) <= 120


@given(st.integers(1, MAX_ATTEMPTS))
def test_delays_grow_and_are_bounded(attempts: int) -> None:
    assert 0 < delay_seconds(attempts) <= delay_seconds(attempts + 1) <= LONGEST_DELAY_SECONDS
