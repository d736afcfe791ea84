"""What is only late is tried again; what is final fails at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.retries import LONGEST_DELAY_SECONDS, MAX_ATTEMPTS, delay_seconds, is_transient

LATE = [
    "googleapi: Error 403: Kubernetes Engine API has not been used in project 1 before or it is disabled., SERVICE_DISABLED",
    "googleapi: Error 400: Service account service-1@compute-system.iam.gserviceaccount.com does not exist., badRequest",
    "Error 400: Identity Pool does not exist (acme.svc.id.goog). Please check that you specified a valid resource name",
    "googleapi: Error 403: Permission 'cloudkms.cryptoKeys.get' denied on resource (or it may not exist)., forbidden",
    "googleapi: Error 404: Unknown service account, notFound: serviceAccount:nodes@acme.iam.gserviceaccount.com",
    "googleapi: Error 409: There were concurrent policy changes. Please retry the whole read-modify-write., aborted",
    "googleapi: Error 429: Quota requests per minute, rateLimitExceeded",
    "googleapi: Error 503: The service is currently unavailable., backendError",
    "googleapi: Error 400: The resource 'projects/p/global/networks/n' is not ready, resourceNotReady",
]

FINAL = [
    "googleapi: Error 403: Quota 'NVIDIA_L4_GPUS' exceeded. Limit: 8.0 in region us-central1., quotaExceeded",
    "googleapi: Error 409: Already exists: projects/p/locations/l/clusters/c., alreadyExists",
    "Error 403: billing is not enabled for this project, permission denied",
    "googleapi: Error 400: Invalid value for field 'resource.name', invalid",
    "cannot destroy cluster because deletion_protection is set to true",
    "",
]


@pytest.mark.parametrize("error", LATE)
def test_what_is_only_late_is_tried_again(error: str) -> None:
    assert is_transient([error])


@pytest.mark.parametrize("error", FINAL)
def test_what_is_final_is_not(error: str) -> None:
    assert not is_transient([error])


def test_the_newest_error_decides() -> None:
    assert not is_transient([FINAL[0], LATE[0]])
    assert is_transient([LATE[0], FINAL[0]])
    assert not is_transient([])


@given(st.integers(1, MAX_ATTEMPTS))
def test_delays_grow_and_are_bounded(attempts: int) -> None:
    assert 0 < delay_seconds(attempts) <= delay_seconds(attempts + 1) <= LONGEST_DELAY_SECONDS
