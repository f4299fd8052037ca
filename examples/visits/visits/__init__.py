"""Visits: who is expected, who is in the building, who has left."""

from cqrs_app.kernel import Area, actions_of, from_state, projected
from cqrs_app.plugins import Pages, Plugin
from visits import events, messages
from visits.read_model import (
    ChooseVisits,
    ListVisits,
    VisitsProjection,
    choose_visits,
    list_visits,
)
from visits.visit import Visit, shown

VISITS = Area(
    name="visits",
    aggregates=[Visit],
    events=events,
    projections=[VisitsProjection()],
    answers={
        ListVisits: projected(list_visits),
        ChooseVisits: projected(choose_visits),
        messages.GetVisit: from_state(Visit, shown),
        messages.VisitActions: actions_of(Visit),
    },
)

PLUGIN = Plugin(
    api=1,
    package="visits",
    area=VISITS,
    pages=[
        Pages(
            aggregate=Visit,
            path="visits",
            title="Visits",
            one="visit",
            list=ListVisits,
            get=messages.GetVisit,
            actions=messages.VisitActions,
            choose=ChooseVisits,
            starts=[messages.ExpectVisitor],
            batched=[messages.CheckOut],
            icon="users",
        )
    ],
)
