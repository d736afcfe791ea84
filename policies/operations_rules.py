"""Every rule for how an environment is run."""

from policies.alert_rules import ALERT_RULES
from policies.applied_rules import APPLIED_RULES
from policies.approval_rules import APPROVAL_RULES
from policies.delivery_rules import DELIVERY_RULES
from policies.exclusion_rules import EXCLUSION_RULES
from policies.image_rules import IMAGE_RULES
from policies.kueue_rules import KUEUE_RULES
from policies.log_rules import LOG_RULES
from policies.production_rules import PRODUCTION_RULES
from policies.replacements import REPLACEMENT_RULES
from policies.runner_rules import RUNNER_RULES
from policies.target_rules import TARGET_RULES

OPERATIONS_RULES = (
    *ALERT_RULES,
    *LOG_RULES,
    *EXCLUSION_RULES,
    *PRODUCTION_RULES,
    *KUEUE_RULES,
    *DELIVERY_RULES,
    *APPROVAL_RULES,
    *TARGET_RULES,
    *RUNNER_RULES,
    *IMAGE_RULES,
    *REPLACEMENT_RULES,
    *APPLIED_RULES,
)
