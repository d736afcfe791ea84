"""Serves a policy pack as `policies/__main__.py` does: `headroom`, or `empty`, whose policies do nothing."""

import sys

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)


def _pass_resource(args: ResourceValidationArgs, report: ReportViolation) -> None:
    del args, report


def _pass_stack(args: StackValidationArgs, report: ReportViolation) -> None:
    del args, report


def _serve_empty() -> None:
    level = EnforcementLevel.MANDATORY
    PolicyPack(
        "empty",
        [
            ResourceValidationPolicy("resources", "Nothing.", _pass_resource, level),
            StackValidationPolicy("stack", "Nothing.", _pass_stack, level),
        ],
    )


if __name__ == "__main__":
    if sys.argv[1] == "headroom":
        from policies.pack import serve

        serve()
    else:
        _serve_empty()
