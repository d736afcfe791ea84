"""The result of a check as JSON, and back: `headroom diff` reads what `headroom check` wrote."""

import json
from dataclasses import asdict

from headroom.report.findings import OUTCOMES, CheckResult
from headroom.spec.errors import Problem, StackFileError


def render_json(result: CheckResult) -> str:
    """Return the result as JSON text."""
    data = asdict(result) | {
        "exit_code": result.exit_code,
        "counts": {outcome: result.count(outcome) for outcome in OUTCOMES},
    }
    return json.dumps(data, indent=2)


def parse_check(content: bytes, file: str) -> CheckResult:
    """Return the result that a file holds. Raises StackFileError for anything else."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(CheckResult).validate_json(content)
    except ValidationError:
        problem = Problem(
            "", "is not what `headroom check --format json` writes; run it with --output and name that file"
        )
        raise StackFileError([problem], file) from None
