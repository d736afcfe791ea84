"""Every rule that guards the quota."""

from policies.admission_rules import ADMISSION_RULES
from policies.cloud_quota_rules import CLOUD_QUOTA_RULES
from policies.headroom_rules import HEADROOM_RULES
from policies.pool_rules import POOL_RULES
from policies.promise_rules import PROMISE_RULES
from policies.queue_rules import QUEUE_RULES
from policies.tenancy_rules import TENANCY_RULES

QUOTA_RULES = (
    *HEADROOM_RULES,
    *QUEUE_RULES,
    *TENANCY_RULES,
    *ADMISSION_RULES,
    *POOL_RULES,
    *CLOUD_QUOTA_RULES,
    *PROMISE_RULES,
)
