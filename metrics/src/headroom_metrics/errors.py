"""What the library refuses, and what it could not deliver."""


class MetricsError(ValueError):
    """Something that would make a wrong or boundless series: said where it is declared, with its remedy."""


class PushError(RuntimeError):
    """The Pushgateway could not be read or written; the job's figures are still in the process."""


class QueryError(RuntimeError):
    """The Prometheus that was asked gave no answer, or none that can be read."""


class RegistryError(RuntimeError):
    """The container registry refused what was asked of it, or gave what it must not."""


class LateError(RegistryError):
    """The registry could not answer now, and may after `wait_seconds`."""

    def __init__(self, message: str, wait_seconds: float = 0):
        super().__init__(message)
        self.wait_seconds = wait_seconds
