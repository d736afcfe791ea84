"""A platform as the text of a stack file, for those who have the platform and not the file."""

from typing import Any

import yaml

from headroom.spec.platform import Platform


def render_stack_file(platform: Platform) -> str:
    """Return a stack file that says what `platform` was made of.

    References to the certificates of private registries are left out: they may be encrypted in the stack
    file, and then are for Pulumi alone.
    """
    config: dict[str, Any] = platform.model_dump(mode="json", by_alias=True, exclude_unset=True)
    config["headroom:cluster"].pop("private_registries", None)
    return yaml.safe_dump({"config": config}, sort_keys=False, allow_unicode=True, width=110)
