"""Acknowledgements in SQL: noted one by one, until a case has all that its policy asks for."""

from uuid import UUID

from domain.errors import Conflict
from responders import words
from responders.acknowledging import Wanting, desk_at, level_of
from responders.cases import Desk
from responders.store.console import Actor
from responders.store.entries import add_entry
from responders.store.pool import Connection
from responders.store.queries import sql
from responders.store.standing import Asked, asked_of


async def take_note(
    connection: Connection, incident: UUID, actor: Actor, *, via: str = "console", once: bool = False
) -> bool:
    """Note that somebody acknowledges an open case that is held; whether he is the first.

    Pages not yet sent are withdrawn: all of them, or those to the ones who need not acknowledge any more. With `once` it
    raises Conflict when his desk has done so before.
    """
    post = await connection.fetchval(sql("post_of"), actor.id)
    level = level_of(actor.area)
    before = await asked_of(connection, incident)
    if once and before is not None and _is_done(before, actor, Desk(actor.area, post), level):
        raise Conflict(
            f"本级已确认接收，尚待{_names(before.missing)}。 Your desk has acknowledged it; others have not."
        )
    added = await connection.fetchval(sql("add_ack"), incident, actor.id, actor.area, post, level, via)
    after = None if before is None else await asked_of(connection, incident)
    missing = Wanting() if after is None else after.missing
    if missing.nothing:
        await connection.execute(sql("acknowledge"), incident, actor.id)
        await connection.execute(sql("withdraw_alarms"), incident)
    elif after is not None:
        await connection.execute(sql("withdraw_alarms_of"), incident, _released(after, actor, level))
    if added is not None:
        rest = "" if missing.nothing else f"，尚待{_names(missing)}"
        await add_entry(
            connection,
            incident,
            "acknowledged",
            f"确认接收{rest}",
            actor=actor.display,
            user=actor.id,
            detail={}
            if after is None
            else {"level": level, "missing": missing.levels, "desks": missing.desks},
        )
    return bool(added == 0)


def _is_done(asked: Asked, actor: Actor, desk: Desk, level: str) -> bool:
    return any(
        ack.user == actor.id or ack.desk == desk or (asked.policy.acknowledged_by and ack.level == level)
        for ack in asked.acks
    )


def _released(asked: Asked, actor: Actor, level: str) -> list[UUID]:
    """Name whoever is not paged any more: who acknowledged, and his colleagues of the same level."""
    users = [actor.id]
    for number, step in enumerate(asked.policy.steps):
        desk = desk_at(asked.policy, number, asked.place, asked.post)
        if step.level == level and desk is not None:
            users += [person.user for person in asked.roster.find(desk)]
    return users


def _names(missing: Wanting) -> str:
    if missing.levels:
        return "、".join(words.TOWER[level] for level in missing.levels) + "确认"
    return f"另外 {missing.desks} 个值班岗位确认"
