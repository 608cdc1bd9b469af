"""Take a person out of what replays were asked for."""

import msgspec
from sqlalchemy import Engine, select, update

from destinations.sql.engine import reading, writing
from worker.database.replay_tables import REPLAYS as T
from worker.forgetting.person import Mention, Person
from worker.replay.selection import Selection

GONE = "(forgotten)"

_decode = msgspec.json.Decoder(Selection).decode


def erase(engine: Engine, person: Person) -> int:
    """How many replays named the person. Raises DatabaseAway."""
    mention = Mention(person)
    with reading(engine) as connection:
        rows = connection.execute(select(T.c.id, T.c.selection, T.c.reason)).all()
    changed = 0
    for row in rows:
        selection = _without(_decode(row.selection), person, mention)
        reason = GONE if mention.is_in(row.reason) else row.reason
        text = msgspec.json.encode(selection).decode()
        if (text, reason) != (row.selection, row.reason):
            with writing(engine) as connection:
                connection.execute(update(T).where(T.c.id == row.id).values(selection=text, reason=reason))
            changed += 1
    return changed


def _without(selection: Selection, person: Person, mention: Mention) -> Selection:
    """It wants no more than before: a name that nobody has stands where the person's stood."""
    users = tuple(GONE if user in person.ids else user for user in selection.users)
    where = selection.where
    if mention.is_in(where):
        for each in sorted(person.ids | person.others, key=len, reverse=True):
            where = where.replace(each, GONE)
    return msgspec.structs.replace(selection, users=users, where=where)
