"""Dopt's documents, typed as they stand there: users and groups end in the profiles that they describe."""

import json

from tests.running import Running
from tests.seeds.profiles import Profiles
from tests.seeds.typed import curl

HOST = "https://users.dopt.com"

ONE_USER = """
curl \\
-H "Content-Type: application/json" \\
-H "x-api-key:$USERS_API_KEY" \\
-d '{ "name":"Joe McKenney", "email": "joe@dopt.com", "city": "Oakland" }' \\
-X POST \\
https://users.dopt.com/identify/123456789
"""

MANY_USERS = """
curl -X POST https://users.dopt.com/identify/bulk \\
-H "Content-Type: application/json" \\
-H "x-api-key:HNWvcT78tyTwygnbzU6SW" \\
-d '
[{
"__dopt_identifier": "123456789",
"name":"Joe McKenney",
"email": "joe@dopt.com",
"city": "Oakland"
}, {
"identifier": "987654321",
"name": "Alon Bartur",
"email": "alon@dopt.com",
"city": "Oakland"
}]
'
"""

# In single quotes no shell fills the variable in: this very text is then the key.
ONE_GROUP = """
curl 'https://users.dopt.com/identify/group' \\
-X POST \\
-H 'Content-Type: application/json' \\
-H 'x-api-key:$USERS_API_KEY' \\
-d '{
"identifier": "123456789",
"properties": {
"name": "Acme co.",
"plan": "Pro"
}
}'
"""

JOE = {"name": "Joe McKenney", "email": "joe@dopt.com", "city": "Oakland"}
ALON = {"name": "Alon Bartur", "email": "alon@dopt.com", "city": "Oakland"}


def test_a_user_is_created(turnout: Running, profiles: Profiles) -> None:
    assert json.loads(curl(ONE_USER, HOST, turnout)) == {"success": True}
    joe = profiles.user("123456789", until=JOE)
    assert ("email", "joe@dopt.com") in joe.ids


def test_many_users_are_created_whichever_name_their_identifier_has(turnout: Running, profiles: Profiles) -> None:
    assert json.loads(curl(MANY_USERS, HOST, turnout)) == {"count": 2}
    profiles.user("123456789", until=JOE)
    profiles.user("987654321", until=ALON)


def test_a_group_is_created_without_a_user(turnout: Running, profiles: Profiles) -> None:
    assert json.loads(curl(ONE_GROUP, HOST, turnout)) == {"success": True}
    profiles.group("123456789", until={"name": "Acme co.", "plan": "Pro"})


def test_properties_that_are_new_are_created_and_others_are_updated(turnout: Running, profiles: Profiles) -> None:
    first = ONE_USER.replace("123456789", "upserted")
    curl(first, HOST, turnout)
    changed = '{ "city": "Berkeley", "plan": { "name": "pro", "seats": [1, 2] }, "email": null }'
    curl(first.replace(first.split("-d '")[1].split("'")[0], changed), HOST, turnout)
    expected = {"name": "Joe McKenney", "email": None, "city": "Berkeley", "plan": {"name": "pro", "seats": [1, 2]}}
    profiles.user("upserted", until=expected)


def test_properties_of_a_group_are_updated_too(turnout: Running, profiles: Profiles) -> None:
    first = ONE_GROUP.replace("123456789", "upserted")
    curl(first, HOST, turnout)
    curl(first.replace('"name": "Acme co.",\n', "").replace("Pro", "Team"), HOST, turnout)
    profiles.group("upserted", until={"name": "Acme co.", "plan": "Team"})


def test_of_a_user_who_is_in_one_request_twice_the_last_word_counts(turnout: Running, profiles: Profiles) -> None:
    users = [{"__dopt_identifier": "twice", "n": number} for number in range(50)]
    command = MANY_USERS.split("-d '", maxsplit=1)[0] + f"-d '{json.dumps(users)}'"
    assert json.loads(curl(command, HOST, turnout)) == {"count": 50}
    profiles.user("twice", until={"n": 49})
