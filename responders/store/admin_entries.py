"""Lines of the record of administration: what every room that writes one uses."""

from domain.codec import encode
from responders.admin_record import AdminKind
from responders.store.console import Actor
from responders.store.pool import Connection
from responders.store.queries import sql


async def add_admin_entry(
    connection: Connection,
    actor: Actor,
    kind: AdminKind,
    area: str,
    subject: str,
    text: str = "",
    detail: object = None,
) -> int:
    """Add a line to the record of administration; answers its number."""
    number: int = await connection.fetchval(
        sql("add_admin_entry"),
        kind.value,
        actor.display,
        actor.id,
        area,
        subject,
        text.replace("\x00", ""),
        encode(detail or {}).decode(),
    )
    return number
