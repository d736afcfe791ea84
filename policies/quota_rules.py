"""Every rule that guards the quota."""

from policies.admission_rules import ADMISSION_RULES
from policies.cloud_quota_rules import CLOUD_QUOTA_RULES
from policies.headroom_rules import HEADROOM_RULES
from policies.kind_rules import KIND_RULES
from policies.pool_rules import POOL_RULES
from policies.promise_rules import PROMISE_RULES
from policies.queue_rules import QUEUE_RULES
from policies.search_rules import SEARCH_RULES
from policies.tenancy_rules import TENANCY_RULES
from policies.work_rules import WORK_RULES

QUOTA_RULES = (
    *HEADROOM_RULES,
    *QUEUE_RULES,
    *SEARCH_RULES,
    *TENANCY_RULES,
    *ADMISSION_RULES,
    *POOL_RULES,
    *KIND_RULES,
    *WORK_RULES,
    *CLOUD_QUOTA_RULES,
    *PROMISE_RULES,
)
