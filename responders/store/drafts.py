"""What a draft of a report is made from, collected in SQL."""

from collections.abc import Sequence

from responders import dues as law
from responders import words
from responders.cases import Rules
from responders.dues import Due, ReportKind
from responders.reports import Paper
from responders.store.console import Actor
from responders.store.dues import names_for
from responders.store.entries import name_of
from responders.store.pool import Connection
from responders.store.queries import sql
from responders.store.registry import county_now
from responders.views import IncidentView, ReportRow


async def paper_of(
    connection: Connection,
    view: IncidentView,
    actor: Actor,
    dues: Sequence[Due],
    versions: Sequence[ReportRow],
    kind: ReportKind,
    to: str,
    rules: Rules,
) -> Paper:
    """Collect what a draft says; it is written by the desk that owes it, else by the general desk of the actor's area."""
    row, own = view.row, law.levels_of(actor.area)
    asked = [due for due in dues if due.by in own and due.to == to]
    same = [due for due in asked if due.kind is kind and due.is_owed] or asked
    desk = law.desk_of(same[0], row.place) if same else None
    to_area = law.area_of(to, row.place)
    names = await names_for(connection, [row.place])
    addressees = [names.addressee(due, row.place) for due in same]
    begins = await connection.fetch(sql("alert_begins"), row.id)
    category = rules.data.categories.get(row.category)
    area = await name_of(connection, actor.area)
    earlier = tuple(one for one in versions if one.area == actor.area and one.to == to)
    return Paper(
        view=view,
        kind=kind,
        issue=1 + sum(one.kind == kind for one in earlier),
        category=row.category if category is None else category.zh,
        desk=f"{area}{words.post_name('' if desk is None else desk.post)}",
        addressees=tuple(dict.fromkeys(addressees))
        or (f"{await name_of(connection, to_area)}人民政府" if to_area else "国务院",),
        began_at=min((begin["opened_at"] for begin in begins), default=None),
        places=tuple(dict.fromkeys(begin["place_name"] for begin in begins)),
        earlier=earlier,
        clocks=tuple(view.clocks),
        now=await county_now(connection),
    )
