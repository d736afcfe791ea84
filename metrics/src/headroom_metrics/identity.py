"""Who exports: the environment, the pipeline and, where it serves, the version of the model."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

from headroom_metrics.errors import MetricsError

ENVIRONMENT_VARIABLE = "HEADROOM_ENVIRONMENT"
PIPELINE_VARIABLE = "HEADROOM_PIPELINE"
MODEL_VERSION_VARIABLE = "HEADROOM_MODEL_VERSION"
TRACK_VARIABLE = "HEADROOM_TRACK"

Kind = Literal["data", "training", "validation", "serving"]
Tier = Literal["development", "production"]
Track = Literal["", "stable", "canary"]

_NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
_LABEL_LENGTH = 128


@dataclass(frozen=True)
class Identity:
    """A pipeline in an environment, as the stack file has them.

    `owner` answers for it (`group:ml@acme.example`). A serving pipeline also says which version of the model
    answers and who gets it: `stable` everybody, `canary` the first few.
    """

    environment: str
    pipeline: str
    kind: Kind
    owner: str
    tier: Tier
    model_version: str = ""
    track: Track = ""

    def __post_init__(self) -> None:
        """Refuse what the contract does not have, and a serving pipeline without version or track."""
        require_name("environment", self.environment)
        require_name("pipeline", self.pipeline)
        require_label("owner", self.owner)
        require_one_of("kind", self.kind, get_args(Kind))
        require_one_of("tier", self.tier, get_args(Tier))
        require_one_of("track", self.track, get_args(Track))
        if self.model_version or self.is_serving:
            require_label("model_version", self.model_version)
        if self.is_serving != bool(self.track):
            raise MetricsError(
                f"track: {self.track!r} for kind {self.kind}: serving has one, no other kind has"
            )

    @property
    def stage(self) -> str:
        """Where its data are seen, which is its kind; a training pipeline is refused, since it has none."""
        if self.kind == "training":
            raise MetricsError(
                f"{self.pipeline}: a training pipeline watches no data; those that prepare, validate and "
                "serve them do"
            )
        return self.kind

    @property
    def is_serving(self) -> bool:
        """Whether predictions are expected of it at all times: the alert on outages looks at those."""
        return self.kind == "serving"


def load_identity(
    *,
    kind: Kind,
    owner: str,
    tier: Tier,
    model_version: str = "",
    track: Track = "",
    variables: Mapping[str, str] | None = None,
) -> Identity:
    """Return the identity that the platform gave to this pod, in its environment variables.

    They are HEADROOM_ENVIRONMENT and HEADROOM_PIPELINE; one that is absent or empty is refused, since
    series under a wrong name would hide a sick pipeline behind a healthy one. Of a serving pipeline the
    release also sets HEADROOM_MODEL_VERSION and HEADROOM_TRACK, which are read where they are not given here.
    """
    given = os.environ if variables is None else variables
    if kind == "serving":
        model_version = model_version or given.get(MODEL_VERSION_VARIABLE, "")
        track = track or _read_track(given.get(TRACK_VARIABLE, ""))
    return Identity(
        environment=_require_variable(given, ENVIRONMENT_VARIABLE),
        pipeline=_require_variable(given, PIPELINE_VARIABLE),
        kind=kind,
        owner=owner,
        tier=tier,
        model_version=model_version,
        track=track,
    )


def _read_track(text: str) -> Track:
    require_one_of("track", text, get_args(Track))
    return cast("Track", text)


def _require_variable(variables: Mapping[str, str], name: str) -> str:
    value = variables.get(name, "")
    if not value:
        raise MetricsError(f"{name} is not set: set it in the pod, or name both in Identity(...)")
    return value


def require_one_of(what: str, value: str, allowed: tuple[str, ...]) -> None:
    """Refuse a value that the contract does not know."""
    if value not in allowed:
        raise MetricsError(f"{what}: {value!r} is none of {', '.join(repr(each) for each in allowed)}")


def require_name(what: str, value: str) -> None:
    """Refuse a name that is none in the stack file: up to 40 lower-case letters, digits and hyphens."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise MetricsError(
            f"{what}: {value!r} is no name: up to 40 lower-case letters, digits and hyphens, "
            "a letter first and no hyphen last"
        )


def require_label(what: str, value: str) -> None:
    """Refuse a label's value that is empty, longer than 128 characters or not printable."""
    if not isinstance(value, str) or not value or len(value) > _LABEL_LENGTH or not value.isprintable():
        raise MetricsError(f"{what}: {value!r} is no label: 1 to {_LABEL_LENGTH} printable characters")


def require_seconds(what: str, value: float) -> None:
    """Refuse a duration that is not a positive, finite number of seconds."""
    if not 0 < value < float("inf"):
        raise MetricsError(f"{what}: {value!r} is no duration: seconds, more than 0")


def require_ratio(what: str, value: float) -> None:
    """Refuse a share that is not between 0 and 1, both excluded: either would make an alert meaningless."""
    if not 0 < value < 1:
        raise MetricsError(f"{what}: {value!r} is no ratio: more than 0 and less than 1")
