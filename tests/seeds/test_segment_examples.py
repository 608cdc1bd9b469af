"""Segment's page on the group call: its payloads and its calls end in the group and the membership that it promises."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.running import Running
from tests.seeds.profiles import Profiles
from tests.seeds.typed import node

TYPICAL = """
{
"type": "group",
"groupId": "0e8c78ea9d97a7b8185e8632",
"traits": {
"name": "Initech",
"industry": "Technology",
"employees": 329,
"plan": "enterprise",
"total billed": 830
}
}
"""

COMPLETE = """
{
"anonymousId": "507f191e810c19729de860ea",
"channel": "browser",
"context": {
"ip": "8.8.8.8",
"userAgent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_5) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/40.0.2214.115 Safari/537.36"
},
"integrations": {
"All": true,
"Mixpanel": false,
"Salesforce": false
},
"messageId": "022bb90c-bbac-11e4-8dfc-aa07a5b093db",
"receivedAt": "2015-02-23T22:28:55.387Z",
"sentAt": "2015-02-23T22:28:55.111Z",
"timestamp": "2015-02-23T22:28:55.111Z",
"traits": {
"name": "Initech",
"industry": "Technology",
"employees": 329,
"plan": "enterprise",
"total billed": 830
},
"type": "group",
"userId": "97980cfea0067",
"groupId": "0e8c78ea9d97a7b8185e8632",
"version": "1.1"
}
"""  # noqa: E501

ON_A_SERVER = """
import { Analytics } from '@segment/analytics-node'
const analytics = new Analytics({ writeKey: 'segment-key', host: process.env.TURNOUT })
analytics.group({
  userId: 'peter',
  groupId: "initech-of-node",
  traits: {
    name: "Initech",
    industry: "Technology",
    employees: 329,
    plan: "enterprise",
    "total billed": 830
  }
});
await analytics.closeAndFlush()
"""

INITECH = {"name": "Initech", "industry": "Technology", "employees": 329, "plan": "enterprise", "total billed": 830}
KEY = {"Authorization": "Basic " + base64.b64encode(b"segment-key:").decode(), "Content-Type": "application/json"}


def posted(turnout: Running, path: str, text: str) -> tuple[int, Any]:
    status, answer = turnout.request("POST", path, text.encode(), KEY)
    return status, json.loads(answer)


def identified(turnout: Running, user: str, *spelled: Mapping[str, Any]) -> None:
    for second, traits in enumerate(spelled):
        said = {"userId": user, "traits": traits, "timestamp": f"2024-05-06T12:00:{second:02d}Z"}
        assert posted(turnout, "/v1/identify", json.dumps(said))[0] == 200


@pytest.mark.parametrize("path", ["/v1/group", "/v1/batch"])
def test_the_complete_example_makes_the_group_and_its_member(turnout: Running, profiles: Profiles, path: str) -> None:
    text = COMPLETE if path == "/v1/group" else f'{{"batch": [{COMPLETE}]}}'
    assert posted(turnout, path, text) == (200, {"success": True})
    profiles.group("0e8c78ea9d97a7b8185e8632", until=INITECH)
    assert profiles.user("97980cfea0067", groups=["0e8c78ea9d97a7b8185e8632"]).traits == {}


def test_the_payload_without_common_fields_lacks_whoever_is_in_the_group(turnout: Running, profiles: Profiles) -> None:
    status, answer = posted(turnout, "/v1/group", TYPICAL)
    assert (status, answer["violations"][0]["code"]) == (400, "no_user_anon_id")
    whole = TYPICAL.replace("0e8c78ea9d97a7b8185e8632", "typical").replace("{", '{"anonymousId": "a-visitor",', 1)
    assert posted(turnout, "/v1/group", whole)[0] == 200
    profiles.group("typical", until=INITECH)
    profiles.visitor("a-visitor", groups=["typical"])


def test_the_call_of_the_library_for_servers_does_the_same(turnout: Running, profiles: Profiles) -> None:
    node(ON_A_SERVER, turnout)
    profiles.group("initech-of-node", until=INITECH)
    profiles.user("peter", groups=["initech-of-node"])


def test_a_user_can_be_in_more_than_one_group(turnout: Running, profiles: Profiles) -> None:
    for group in ("one", "other"):
        posted(turnout, "/v1/group", json.dumps({"userId": "in-two", "groupId": group}))
    profiles.user("in-two", groups=["one", "other"])


@pytest.mark.parametrize("spelling", ["createdAt", "created_at", "CREATEDAT", "Created_At"])
def test_reserved_traits_are_case_insensitive(turnout: Running, profiles: Profiles, spelling: str) -> None:
    user = f"spelled {spelling}"
    identified(turnout, user, {"createdAt": "2020-01-02"}, {spelling: "2021-01-02T03:04:05+01:00"})
    profiles.user(user, until={"createdAt": "2021-01-02T02:04:05.000Z"})


def test_traits_of_a_group_are_case_insensitive_too(turnout: Running, profiles: Profiles) -> None:
    traits = {"created_at": "2020-01-02", "Employees": 329, "WEBSITE": "https://initech.example"}
    posted(turnout, "/v1/group", json.dumps({"userId": "u", "groupId": "spelled", "traits": traits}))
    expected = {"createdAt": "2020-01-02", "employees": 329, "website": "https://initech.example"}
    profiles.group("spelled", until=expected)


def test_null_overwrites_and_absence_keeps(turnout: Running, profiles: Profiles) -> None:
    identified(turnout, "nulled", {"plan": "pro", "seats": 3}, {"plan": None})
    profiles.user("nulled", until={"plan": None, "seats": 3})


def test_what_was_said_last_counts_whichever_came_in_first(turnout: Running, profiles: Profiles) -> None:
    said = [{"userId": "late", "traits": {"n": n}, "timestamp": f"2024-05-06T12:00:{n:02d}Z"} for n in (2, 3, 1)]
    for each in said:
        assert posted(turnout, "/v1/identify", json.dumps(each))[0] == 200
    posted(turnout, "/v1/identify", json.dumps({"userId": "late", "traits": {"end": 1}}))
    profiles.user("late", until={"n": 3, "end": 1})
