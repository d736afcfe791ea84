"""`headroom:alerting`: who is told of which alerts, when they are muted, and where some begin."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from headroom.spec import forms
from headroom.spec.base import Owner, PipelineName, Section

LONGEST_MUTE = timedelta(days=31)
"""What is muted for longer is forgotten."""

MOST_CHANNELS = 16
"""Of one alert policy (cloud.google.com/monitoring/quotas, 2026-11)."""

MOST_OWNERS = 40
"""Each takes a policy for every alert on pipelines, and a project has 2,000
(cloud.google.com/monitoring/quotas, 2026-11)."""

Address = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9._%+-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$"),
    Field(examples=["ml-oncall@acme.example"]),
]

ChannelName = Annotated[str, StringConstraints(pattern=forms.NAME), Field(examples=["on-call"])]

MuteName = Annotated[str, StringConstraints(pattern=forms.NAME), Field(examples=["gpu-move"])]

AlertName = Annotated[
    str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]{2,62}$"), Field(examples=["ServingOutage"])
]

SecretVersion = Annotated[
    str,
    StringConstraints(
        pattern=r"^projects/[a-z0-9][a-z0-9-]{4,28}[a-z0-9]/secrets/[A-Za-z0-9_-]{1,255}/versions/[0-9]{1,9}$"
    ),
    Field(examples=["projects/acme-ml-prod/secrets/pagerduty/versions/1"]),
]
"""The full name of a version of a secret in Secret Manager, by its number: another version is another line of
the stack file. `pulumi up` reads the secret itself, a preview does not."""


class EmailChannel(Section):
    """Mail to an address."""

    kind: Literal["email"] = Field(description="mail")
    address: Address = Field(description="who gets the mail; a group's address outlives its people")


class PagerdutyChannel(Section):
    """A page through PagerDuty."""

    kind: Literal["pagerduty"] = Field(description="PagerDuty")
    service_key: SecretVersion = Field(description="the integration's key, as a reference to Secret Manager")


class SlackChannel(Section):
    """A message in a Slack channel."""

    kind: Literal["slack"] = Field(description="Slack")
    channel: Annotated[
        str, StringConstraints(pattern=r"^#[a-z0-9_-]{1,80}$"), Field(examples=["#ml-alerts"])
    ] = Field(description="the channel, with its #")
    auth_token: SecretVersion = Field(
        description="the token of Google Cloud Monitoring's Slack app, as a reference to Secret Manager"
    )


class PubsubChannel(Section):
    """A message on a topic, which must be there; the right to publish on it is granted."""

    kind: Literal["pubsub"] = Field(description="Pub/Sub")
    topic: Annotated[
        str,
        StringConstraints(
            pattern=r"^projects/[a-z][a-z0-9-]{4,28}[a-z0-9]/topics/[A-Za-z][A-Za-z0-9._~+%-]{2,254}$"
        ),
        Field(examples=["projects/acme-ml-prod/topics/alerts"]),
    ] = Field(description="the topic; a message carries the labels of the incident, pipeline among them")


Channel = Annotated[
    EmailChannel | PagerdutyChannel | SlackChannel | PubsubChannel, Field(discriminator="kind")
]

Channels = Annotated[tuple[ChannelName, ...], Field(max_length=MOST_CHANNELS)]


class OwnerRoutes(Section):
    """Who is told of alerts on an owner's pipelines, in the place of those whom the stack's routes name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"page": ["feed-on-call"]}]})

    page: Channels = Field(default=(), description="channels for what cannot wait; by default the stack's")
    ticket: Channels = Field(default=(), description="channels for the rest; by default the stack's")


class Routes(Section):
    """Who is told."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"page": ["on-call"], "ticket": ["mail"]}]})

    page: Channels = Field(default=(), description="channels for what cannot wait: it wakes somebody")
    ticket: Channels = Field(default=(), description="channels for what can wait for the day")
    security: Channels = Field(
        default=(), description="channels for security events; by default as their urgency says"
    )


def _parse_moment(value: object) -> datetime:
    message = "must be date and time with a zone, such as 2026-12-01T22:00:00Z, in quotation marks"
    if not isinstance(value, str) or "T" not in value:
        raise ValueError(message)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(message) from None
    if moment.tzinfo is None:
        raise ValueError(message)
    return moment.astimezone(UTC).replace(microsecond=0)


Moment = Annotated[
    datetime,
    BeforeValidator(_parse_moment, json_schema_input_type=str),
    Field(examples=["2026-12-01T22:00:00Z"]),
]


class Mute(Section):
    """Alerts that nobody is told of for a time: incidents are neither opened nor left open."""

    alerts: Annotated[tuple[AlertName, ...], Field(max_length=64)] = Field(
        default=(),
        description="which alerts; by default every one but security events and those that judge canaries",
    )
    pipelines: Annotated[tuple[PipelineName, ...], Field(max_length=16)] = Field(
        default=(), description="of which pipelines; by default of all"
    )
    start: Moment = Field(description="from when on")
    end: Moment = Field(
        description="until when, at most 31 days later; bring it forward to end early: left out it goes on"
    )

    @model_validator(mode="after")
    def _ordered(self) -> "Mute":
        if self.end <= self.start:
            raise ValueError("end is not after start")
        if self.end - self.start > LONGEST_MUTE:
            raise ValueError(
                f"is longer than {LONGEST_MUTE.days} days; what is wrong for longer needs mending"
            )
        return self


class Alerting(Section):
    """Who is told of what goes wrong. Without channels incidents are seen in the console alone."""

    channels: dict[ChannelName, Channel] = Field(
        default_factory=dict, max_length=256, description="ways to tell people and programs, by name"
    )
    routes: Routes = Field(default=Routes(), description="which channels are told of what")
    owners: dict[Owner, OwnerRoutes] = Field(
        default_factory=dict,
        max_length=MOST_OWNERS,
        description="owners of pipelines who are told through channels of their own; each takes a policy "
        "more for every alert",
    )
    runbooks: (
        Annotated[
            str,
            StringConstraints(
                pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?$"
            ),
            Field(examples=["https://git.acme.example/ml/platform/blob/main"]),
        ]
        | None
    ) = Field(default=None, description="where this project's files can be read; alerts link there")
    thresholds: dict[AlertName, Annotated[float, Field(strict=True, allow_inf_nan=False)]] = Field(
        default_factory=dict,
        description="where alerts with a bound of their own begin; others take bounds from metrics",
    )
    mutes: dict[MuteName, Mute] = Field(
        default_factory=dict, max_length=64, description="maintenance windows, by name"
    )
    deployers: Annotated[tuple[Address, ...], Field(max_length=16)] = Field(
        default=(),
        description="accounts that deploy this stack: their changes are expected, and no security event",
    )
