"""One declaration per command: routes, rules, refusals and actions follow from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.actions import Action, possible
from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.call import Call
from cqrs_app.kernel.commands.context import Receipt
from cqrs_app.kernel.commands.handling import handlers_of, handles, rule
from cqrs_app.kernel.commands.middleware import HISTORY, Proceed
from cqrs_app.kernel.errors import Refusal, Refused, UndeclaredEvent
from cqrs_app.kernel.messages.messages import Event, event
from cqrs_app.kernel.messages.permissions import Permission, Role, permissions_by_role
from tests.kernel.conftest import ANA, by_ana
from tests.kernel.shop import Add, Added, Counter, Take, Touch, shop, shop_where

EMPTY = Refusal("empty", "Nothing is in it.")
ODD = Refusal("odd", "Its number is odd.")
CLOSED = Refusal("closed", "The shop is closed.")


@rule(EMPTY)
def filled(counter: Counter, counter_id: str) -> None:
    if not counter.value:
        raise EMPTY(f"{counter_id} is empty.")


@rule(ODD, after=filled)
def even(counter: Counter, counter_id: str) -> None:
    if counter.value % 2:
        raise ODD(f"{counter_id} is odd.")


@rule(CLOSED)
def opened(counter: object, counter_id: str) -> None:
    raise CLOSED("Come back tomorrow.")


@dataclass
class Jar(Counter):
    category: ClassVar[str] = "jar"

    @handles(Take, when=even, refusals=[CLOSED])
    def take(self, command: Take) -> Iterator[Event]:
        yield from super().take(command)

    @handles(Touch, when=filled)
    def touch(self, command: Touch) -> Iterator[Event]:
        return iter(())


JAR = handlers_of(Jar)


def actions(jar: Jar, version: int = 1) -> dict[str, Action]:
    return {each.command: each for each in possible(JAR, jar, "a", version).actions}


def test_a_class_says_what_it_handles_and_a_subclass_may_say_it_otherwise() -> None:
    assert list(JAR) == [Take, Touch, Add]
    assert JAR[Take].method is Jar.take
    assert JAR[Add].method is Counter.add


def test_refusals_come_from_the_rule_those_before_it_and_the_method() -> None:
    assert JAR[Take].refusals == {
        "empty": "Nothing is in it.",
        "odd": "Its number is odd.",
        "closed": "The shop is closed.",
    }


def test_a_command_with_a_rule_is_offered_or_its_refusal_is_given() -> None:
    assert list(actions(Jar(value=2))) == ["Take", "Touch"]
    assert all(each.allowed for each in actions(Jar(value=2)).values())
    odd = actions(Jar(value=3))
    assert odd["Take"] == Action("Take", "Take", allowed=False, reason="a is odd.")
    assert odd["Touch"].allowed
    assert actions(Jar())["Take"].reason == "a is empty."


def test_nothing_is_offered_of_what_does_not_exist() -> None:
    assert actions(Jar(), version=0) == {}


def test_a_method_for_a_command_that_another_handles_is_a_fault() -> None:
    class Double(Counter):
        @handles(Add)
        def add_again(self, command: Add) -> Iterator[Event]:
            return iter(())

    with pytest.raises(ValueError, match="Double has two methods for Add"):
        handlers_of(Double)


def test_another_areas_rule_refuses_at_the_bus_but_not_history(
    make_kernel: Callable[..., Kernel],
) -> None:
    kernel = make_kernel(area=replace(shop(), rules={Add: opened}))
    with pytest.raises(Refused, match="Come back tomorrow") as refused:
        kernel.commands.execute(Add(counter_id="a"), by_ana(command_id="one"))
    assert refused.value.code == "closed"
    assert kernel.store.load("counter-a") is None
    entry = kernel.log.find("one")
    assert entry is not None
    assert (entry.outcome, entry.code) == ("refused", "closed")
    [outcome] = kernel.commands.execute_batch([(Add(counter_id="a"), by_ana())])
    assert outcome.error is not None
    assert outcome.error.code == "closed"
    historian = replace(ANA, permissions=ANA.permissions | {HISTORY})
    context = replace(by_ana(), actor=historian, occurred_at=kernel.clock())
    assert kernel.commands.execute(Add(counter_id="a"), context).events == ("Added",)


def as_many_as_in_b(call: Call, proceed: Proceed) -> Receipt:
    if call.stream == "counter-a":
        there = sum(each.amount for each in call.past("counter-b") if isinstance(each, Added))
        call.completed = Add(counter_id="a", amount=there)
    return proceed(call)


def test_middleware_reads_other_streams_within_a_batch_too_and_completes_the_command(
    make_kernel: Callable[..., Kernel],
) -> None:
    kernel = make_kernel(area=replace(shop(), middleware=[as_many_as_in_b]))
    kernel.commands.execute(Add(counter_id="b", amount=3), by_ana())
    items = [
        (Add(counter_id="b", amount=4), by_ana()),
        (Add(counter_id="a"), by_ana(command_id="one")),
    ]
    assert [each.error for each in kernel.commands.execute_batch(items)] == [None, None]
    [added] = kernel.store.events_of("counter-a")
    assert '"amount":7' in added.payload
    entry = kernel.log.find("one")
    assert entry is not None
    assert '"amount":1' in entry.payload


def test_a_warning_is_flagged_or_stands_where_the_aggregate_flags_nothing(
    make_kernel: Callable[..., Kernel],
) -> None:
    def warn(call: Call, proceed: Proceed) -> Receipt:
        call.warnings.append(ODD("It is odd."))
        return proceed(call)

    area = replace(shop(), middleware=[warn])
    with pytest.raises(Refused, match=r"It is odd\."):
        make_kernel(area=area).commands.execute(Add(counter_id="a"), by_ana())


@event()
class Forgotten(Event):
    counter_id: str


@pytest.mark.parametrize("imposter", [Forgotten, type("Added", (Forgotten,), {})])
def test_an_event_that_no_area_declares_cannot_be_appended(
    make_kernel: Callable[..., Kernel], imposter: type[Event]
) -> None:
    def add(counter: Counter, command: Add) -> Iterator[Event]:
        yield Added(counter_id=command.counter_id, amount=1)
        yield imposter(counter_id=command.counter_id)  # type: ignore[call-arg]

    kernel = make_kernel(area=shop_where(add))
    with pytest.raises(UndeclaredEvent, match=f"The event {imposter.__name__} is declared by no"):
        kernel.commands.execute(Add(counter_id="a"), by_ana(command_id="one"))
    assert kernel.store.load("counter-a") is None
    assert kernel.store.head() == 0
    entry = kernel.log.find("one")
    assert entry is not None
    assert (entry.outcome, entry.code) == ("failed", "undeclared_event")
    [outcome] = kernel.commands.execute_batch([(Add(counter_id="b"), by_ana())])
    assert isinstance(outcome.error, UndeclaredEvent)
    assert kernel.store.head() == 0


def test_each_role_has_its_permissions_and_those_of_the_roles_before_it() -> None:
    found = permissions_by_role(
        [
            Permission("jars.see", Role.VIEWER),
            Permission("jars.fill", Role.SUPERVISOR),
            Permission("jars.fill", Role.SUPERVISOR),
            Permission("jars.follow", None),
        ]
    )
    assert found == {
        "viewer": {"jars.see"},
        "operator": {"jars.see"},
        "supervisor": {"jars.see", "jars.fill"},
        "admin": {"jars.see", "jars.fill"},
    }


def test_a_permission_belongs_to_one_role() -> None:
    both = [Permission("jars.fill", Role.VIEWER), Permission("jars.fill", Role.ADMIN)]
    with pytest.raises(ValueError, match=r"jars\.fill belongs to two roles"):
        permissions_by_role(both)


def test_a_handler_is_of_its_aggregate() -> None:
    assert all(handler.aggregate is Jar for handler in JAR.values())
    assert issubclass(JAR[Add].aggregate, Aggregate)
