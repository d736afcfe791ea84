"""All rules. A new family is a file of its own and a line here."""

from policies.quota_rules import QUOTA_RULES
from policies.rules import Rule

RULES: tuple[Rule, ...] = (*QUOTA_RULES,)
