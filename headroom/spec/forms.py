"""The forms that names and labels have: a pattern for the schema of editors, and what it means in words."""

POOL_NAME = r"^[a-z]([a-z0-9-]{0,26}[a-z0-9])?$"
NAME = r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"
STACK = r"^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$"
RESERVATION_NAME = r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"
PROJECT_ID = r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$"
LABEL_KEY = r"^[a-z][a-z0-9_-]{0,62}$"
LABEL_VALUE = r"^[a-z0-9_-]{0,63}$"
NODE_LABEL_KEY = r"^([a-z0-9]([a-z0-9.-]{0,198}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"
NODE_LABEL_VALUE = r"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$"
REGISTRY_HOST = r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"

_NAME = "lower-case letters, digits and hyphens, a letter first and no hyphen last"
_KUBERNETES = "letters, digits, dots, hyphens and underscores, a letter or digit first and last"

MEANINGS = {
    POOL_NAME: f"{_NAME}, at most 28 characters",
    NAME: f"{_NAME}, at most 40 characters",
    STACK: f"{_NAME}, at most 20 characters",
    RESERVATION_NAME: f"{_NAME}, at most 63 characters",
    PROJECT_ID: f"{_NAME}, 6 to 30 characters",
    LABEL_KEY: "lower-case letters, digits, hyphens and underscores, a letter first, at most 63 characters",
    LABEL_VALUE: "lower-case letters, digits, hyphens and underscores, at most 63 characters",
    NODE_LABEL_KEY: f"{_KUBERNETES}, at most 63 characters; a domain and / may stand before",
    NODE_LABEL_VALUE: f"{_KUBERNETES}, at most 63 characters",
    REGISTRY_HOST: "the name of a host: lower-case letters, digits, dots and hyphens, at most 253 characters",
}
"""What a text must be to match the pattern."""
