"""Production's node pools go only when they are replaced or no longer asked for."""

import pytest

from infra import guard


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(guard.pulumi, "ResourceHook", lambda name, callback: callback)
    return guard.deletion_guard({"cpu-3e4589"})


def args(name: str | None) -> object:
    outputs = {"name": name} if name else None
    return guard.pulumi.ResourceHookArgs("urn", "id", "name", "type", None, None, None, outputs)


def test_a_pool_of_the_plan_may_not_go(refuse: object) -> None:
    with pytest.raises(RuntimeError, match=r"set headroom:environment\.tier to development"):
        refuse(args("cpu-3e4589"))  # ty: ignore[call-non-callable]


@pytest.mark.parametrize("name", ["cpu-000000", None])
def test_a_replaced_pool_may(refuse: object, name: str | None) -> None:
    refuse(args(name))  # ty: ignore[call-non-callable]
