"""The example in docs/webhooks.md works with a real message."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from cqrs_app.kernel.signing import new_secret
from cqrs_app.platform.webhooks import commands as do
from cqrs_app.platform.webhooks.queries import GetWebhookSecret
from tests.platform.webhooks.conftest import Shop
from tests.platform.webhooks.receiver import Receiver
from tests.processes.running import PROJECT


@pytest.fixture
def is_genuine() -> Callable[..., bool]:
    text = (PROJECT / "docs" / "webhooks.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - it is our own document
    found: Callable[..., bool] = names["is_genuine"]
    return found


def test_a_genuine_message_is_known_and_a_forged_one_is_not(
    shop: Shop, receiver: Receiver, is_genuine: Callable[..., bool]
) -> None:
    shop.add(receiver)
    shop.deliver()
    old = shop.ask(GetWebhookSecret(webhook_id="warehouse"))
    shop.do(do.RotateWebhookSecret(webhook_id="warehouse"))
    shop.place()
    shop.deliver()
    new = shop.ask(GetWebhookSecret(webhook_id="warehouse"))
    [message] = receiver.received
    assert is_genuine(old, message.headers, message.body)
    assert is_genuine(new, message.headers, message.body)
    assert not is_genuine(new_secret(), message.headers, message.body)
    assert not is_genuine(new, message.headers, message.body + b" ")
    for name, other in (("webhook-id", "evt_1"), ("webhook-timestamp", "1614265330")):
        assert not is_genuine(new, message.headers | {name: other}, message.body)
