"""Make JSON values, and messages that are nearly right, for property tests."""

from typing import Any

from hypothesis import strategies as st

from schemas.catalog import KINDS

texts = st.text(st.characters(codec="utf-8"), max_size=12)
numbers = st.one_of(
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, 1, -0.0, 42.0, 1e308, 10**300, 1_700_000_000, 1_700_000_000_123]),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)
kinds = st.sampled_from(KINDS)
dates: st.SearchStrategy[Any] = st.sampled_from([
    "2024-05-06T07:08:09.123Z", "2024-05-06T07:08:09.123456789Z", "2024-05-06T07:08:09+02:00", "2024-05-06 07:08",
    "2024-05-06", "20240506", 1_700_000_000, 1_700_000_000_123, "1700000000", "0001-01-01T00:00:00Z", "soon", "", 0,
    None, [], "9999-12-31T23:59:59.999Z", "1969-07-20T20:17:40Z", "Mon, 06 May 2024 07:08:09 GMT", 1e300, "2014",
])  # fmt: skip
trait_names = st.sampled_from([
    "createdAt", "created_at", "CREATED-AT", "created at", "$created_at", "created.at", "créatedAt", "birthday",
    "email", "Email", "e-mail", "firstName", "first_name", "total billed", "plan", "employees", "_id", "ID", "",
])  # fmt: skip
companies = st.dictionaries(st.sampled_from(["name", "employeeCount", "employee_count", "Plan", "x"]), scalars)
addresses = st.dictionaries(st.sampled_from(["street", "postal_code", "postalCode", "City", "x"]), scalars)
traits = st.one_of(
    st.dictionaries(trait_names, st.one_of(values, dates), max_size=5),
    st.fixed_dictionaries({}, optional={"company": companies, "Address": addresses, "address": st.just([])}),
)
operations = st.fixed_dictionaries(
    {"op": st.sampled_from(["upsert", "increment", "x"])},
    optional={"trait": st.sampled_from(["visits", "a.b", ".", "a.", ""]), "by": scalars},
)
contexts = st.fixed_dictionaries(
    {},
    optional={
        "library": st.one_of(texts, st.dictionaries(st.sampled_from(["name", "version"]), texts)),
        "traits": st.one_of(traits, st.just([])),
        "page": st.one_of(st.just([]), st.dictionaries(texts, values, max_size=2)),
        "user_agent": texts,
        "osVersion": texts,
        "os": st.one_of(st.just({"name": "x"}), values),
        "locale": values,
        "groups": st.one_of(scalars, st.lists(scalars, max_size=3)),
        "operations": st.one_of(scalars, st.lists(operations, max_size=2)),
    },
)
ids = st.one_of(texts, numbers, st.none(), st.just("u1"))
integrations = st.one_of(st.just({}), st.dictionaries(st.sampled_from(["All", "Mixpanel", "x"]), values), st.just([]))

_MEMBERS: dict[str, st.SearchStrategy[Any]] = {
    "anonymousId": ids,
    "messageId": st.one_of(ids, st.text("ab", min_size=99, max_size=102)),
    "groupId": ids,
    "previousId": ids,
    "context": st.one_of(contexts, values),
    "integrations": st.one_of(integrations, values),
    "timestamp": dates,
    "originalTimestamp": dates,
    "sentAt": dates,
    "receivedAt": dates,
    "traits": traits,
    "properties": st.one_of(st.dictionaries(texts, values, max_size=3), st.sampled_from([None, [], [1]])),
    "name": st.one_of(texts, st.none()),
    "category": st.one_of(texts, st.none()),
    "options": st.one_of(contexts, values),
    "from": ids,
    "to": ids,
    "user_id": ids,
    "sessionId": ids,
    "writeKey": texts,
    "_metadata": values,
    "_turnout": values,
}
_NAMES = st.sampled_from([*_MEMBERS, "type", "userId", "event", "action"])


# Made once: to make it for each message takes longer than to draw from it.
_SOME_MEMBERS = st.fixed_dictionaries({"type": kinds, "userId": ids}, optional=_MEMBERS)


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    """A message of some type; most of them are valid, some have any JSON value in one or two of their members."""
    message = draw(_SOME_MEMBERS)
    kind = message["type"]
    if kind == "track":
        message["event"] = draw(st.one_of(st.just("Clicked"), texts))
    if kind == "group":
        message["groupId"] = draw(ids)
    for name in draw(st.lists(_NAMES, max_size=2)) if draw(st.integers(0, 3)) == 0 else ():
        message[name] = draw(values)
    return message
