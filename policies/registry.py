"""All rules. A new family is a file of its own and a line here."""

from policies.operations_rules import OPERATIONS_RULES
from policies.quota_rules import QUOTA_RULES
from policies.rules import Rule
from policies.security_rules import SECURITY_RULES

RULES: tuple[Rule, ...] = (*QUOTA_RULES, *OPERATIONS_RULES, *SECURITY_RULES)
