"""Published sets of rules that this pack's rules are also in."""

from policies.rules import Framework

_CIS, _CHECKOV, _TRIVY = ("CIS GKE Benchmark", "1.9.0"), ("Checkov", "3.3.30"), ("Trivy", "AVD")


def cis(*numbers: str) -> tuple[Framework, ...]:
    """Return the recommendations of the CIS GKE Benchmark with these numbers."""
    return tuple(Framework(*_CIS, number) for number in numbers)


def checkov(*ids: str) -> tuple[Framework, ...]:
    """Return the policies of Checkov with these ids."""
    return tuple(Framework(*_CHECKOV, each) for each in ids)


def trivy(*ids: str) -> tuple[Framework, ...]:
    """Return the checks of Trivy with these ids, which are those of Aqua's vulnerability database."""
    return tuple(Framework(*_TRIVY, each) for each in ids)
