"""OpenPanel's page on groups: its examples, on its own SDK, end in the groups and members that it promises."""

import json
from typing import Any

from tests.running import Running
from tests.seeds.profiles import ARRIVES_WITHIN, Profiles
from tests.seeds.typed import node
from tests.waiting import eventually

# The examples wait for none of their calls; whoever runs them has to, before the process ends.
PROGRAM = """
import {{ OpenPanel }} from '@openpanel/sdk'
const sdk = new OpenPanel({{ apiUrl: process.env.TURNOUT, clientId: '{key}' }})
const calls = []
const op = new Proxy(sdk, {{
  get(target, name) {{
    const found = target[name]
    if (typeof found !== 'function') return found
    return (...told) => {{ const answer = found.apply(target, told); calls.push(answer); return answer }}
  }},
}})
const done = async () => {{ await Promise.all(calls) }}
{example}
await done()
"""

UPSERT = """
op.upsertGroup({
id: 'org_acme', // Your group's unique ID
type: 'company', // Group type (company, workspace, team, etc.)
name: 'Acme Inc', // Display name
properties: {
plan: 'enterprise',
seats: 25,
industry: 'logistics',
},
});
"""

ASSIGN = """
// After login
op.identify({ profileId: 'user_123' });
// Link the user to their organization
op.setGroup('org_acme');
op.setGroups(['org_acme', 'team_engineering']);
"""

LOGIN = """
// 1. Identify the user
op.identify({
profileId: 'user_123',
firstName: 'Jane',
email: 'jane@acme.com',
});
// 2. Assign the user to the group — the group doesn't need to exist yet
op.setGroup('org_acme');
// 3. All subsequent events are now tagged with the group
op.track('dashboard_viewed'); // → includes groups: ['org_acme']
op.track('report_exported'); // → includes groups: ['org_acme']
"""

LOGIN_WITH_METADATA = """
op.identify({ profileId: 'user_123', email: 'jane@acme.com' });
// Sync group metadata from your backend
op.upsertGroup({
id: 'org_acme',
type: 'company',
name: 'Acme Inc',
properties: { plan: 'pro' },
});
op.setGroup('org_acme');
"""

OVERRIDE = """
op.track('file_shared', {
filename: 'q4-report.pdf',
groups: ['org_acme', 'org_partner'], // Only applies to this event
});
"""

LOGOUT = """
function handleLogout() {
op.clear();
// redirect to login...
}
"""

PATTERNS = """
// On login
op.identify({ profileId: user.id, email: user.email });
op.upsertGroup({
id: user.organizationId,
type: 'company',
name: user.organizationName,
properties: { plan: user.plan, mrr: user.mrr },
});
op.setGroup(user.organizationId);
// When user switches workspace
op.upsertGroup({
id: workspace.id,
type: 'workspace',
name: workspace.name,
});
op.setGroup(workspace.id);
// User belongs to a company and a specific team
op.setGroups([user.organizationId, user.teamId]);
"""


def run(turnout: Running, example: str, marker: str, key: str = "openpanel-key") -> None:
    """The example, with ids that no other test has."""
    for name in ("user_123", "org_acme", "org_partner", "team_engineering"):
        example = example.replace(f"'{name}'", f"'{name}{marker}'")
    node(PROGRAM.format(example=example, key=key), turnout)


def event(turnout: Running, name: str, source: str = "openpanel") -> dict[str, Any]:
    """The only event of this name."""

    def found() -> list[dict[str, Any]]:
        return [message for message in turnout.archived(source) if message.get("event") == name]

    (only,) = eventually(found, within=ARRIVES_WITHIN, what=f"the event {name}")
    return only


def test_a_group_is_created_or_updated(turnout: Running, profiles: Profiles) -> None:
    run(turnout, UPSERT, "-1")
    acme = {"plan": "enterprise", "seats": 25, "industry": "logistics", "name": "Acme Inc", "type": "company"}
    profiles.group("org_acme-1", until=acme)
    run(turnout, UPSERT.replace("seats: 25,", "seats: null, mrr: 10,").replace("industry: 'logistics',", ""), "-1")
    profiles.group("org_acme-1", until={**acme, "seats": None, "mrr": 10})


def test_a_user_is_assigned_to_groups_that_need_not_exist(turnout: Running, profiles: Profiles) -> None:
    run(turnout, ASSIGN, "-2")
    profiles.user("user_123-2", groups=["org_acme-2", "team_engineering-2"])
    assert profiles.group("team_engineering-2").traits == {}


def test_the_full_login_flow(turnout: Running, profiles: Profiles) -> None:
    run(turnout, LOGIN, "-3")
    jane = profiles.user("user_123-3", groups=["org_acme-3"])
    assert {"firstName": "Jane", "email": "jane@acme.com"}.items() <= jane.traits.items()
    assert ("email", "jane@acme.com") in jane.ids
    for name in ("dashboard_viewed", "report_exported"):
        tracked = event(turnout, name)
        assert tracked["userId"] == "user_123-3"
        assert tracked["context"]["groups"] == ["org_acme-3"]


def test_the_login_flow_with_metadata_of_the_group(turnout: Running, profiles: Profiles) -> None:
    run(turnout, LOGIN_WITH_METADATA, "-4")
    profiles.group("org_acme-4", until={"plan": "pro", "name": "Acme Inc", "type": "company"})
    profiles.user("user_123-4", groups=["org_acme-4"])


def test_groups_of_one_event_are_merged_with_those_of_the_session_and_make_nobody_a_member(
    turnout: Running, profiles: Profiles
) -> None:
    run(turnout, ASSIGN + OVERRIDE + "op.track('after_it')", "-5")
    shared = event(turnout, "file_shared")
    assert shared["properties"] == {"filename": "q4-report.pdf"}
    assert shared["context"]["groups"] == ["org_acme-5", "team_engineering-5", "org_partner-5"]
    assert shared["context"]["groupId"] == "org_acme-5"
    assert event(turnout, "after_it")["context"]["groups"] == ["org_acme-5", "team_engineering-5"]
    profiles.user("user_123-5", groups=["org_acme-5", "team_engineering-5"])


def test_after_clear_there_are_no_groups_and_nobody(turnout: Running) -> None:
    run(turnout, ASSIGN + "await done();\n" + LOGOUT + "handleLogout();\nop.track('after_logout')", "-6")
    after = event(turnout, "after_logout")
    assert "userId" not in after
    assert "groups" not in after["context"]


def test_the_common_patterns(turnout: Running, profiles: Profiles) -> None:
    user = """const user = { id: 'jo', email: 'jo@acme.com', organizationId: 'org_9', organizationName: 'Nine',
                             plan: 'pro', mrr: 99.5, teamId: 'team_9' }
              const workspace = { id: 'ws_9', name: 'Work' }\n"""
    run(turnout, user + PATTERNS, "")
    profiles.group("org_9", until={"plan": "pro", "mrr": 99.5, "name": "Nine", "type": "company"})
    profiles.group("ws_9", until={"name": "Work", "type": "workspace"})
    profiles.user("jo", groups=["org_9", "team_9", "ws_9"])


def test_whose_device_it_is_shows_in_the_groups_where_the_sdk_keeps_an_identify_to_itself(
    turnout: Running, profiles: Profiles
) -> None:
    page = {"openpanel-client-id": "openpanel-key", "origin": "https://shop.example", "user-agent": "Mozilla/5.0"}
    told = {"type": "assign_group", "payload": {"groupIds": ["org_8"], "profileId": "only-named"}}
    status, answer = turnout.request("POST", "/track", json.dumps(told).encode(), page)
    assert status == 200
    device = json.loads(answer)["deviceId"]
    seen = profiles.user("only-named", groups=["org_8"])
    assert seen.ids == [("user_id", "only-named"), ("anonymous_id", device)]


def test_numbers_grow_and_shrink_once_for_each_call(turnout: Running, profiles: Profiles) -> None:
    calls = """
    op.identify({ profileId: 'counter', firstName: 'Cara', properties: { visits: 3 } });
    await done();
    op.increment({ profileId: 'counter', property: 'visits', value: 2 });
    op.decrement({ profileId: 'counter', property: 'visits' });
    op.increment({ profileId: 'counter', property: 'plan.credits', value: 0.5 });
    """
    run(turnout, calls, "")

    def counted() -> bool:
        traits = profiles.user("counter").traits
        return (traits.get("visits"), traits.get("plan")) == (4, {"credits": 0.5})

    eventually(counted, within=ARRIVES_WITHIN, what="the sums")


def test_a_source_that_attaches_groups_does_it_for_clients_that_do_not(turnout: Running, profiles: Profiles) -> None:
    run(turnout, ASSIGN, "-7", key="attached-key")
    turnout.post("/v1/track", {"userId": "user_123-7", "event": "silent"}, key="attached-key")
    silent = event(turnout, "silent", "attached")
    assert sorted(silent["context"]["groups"]) == ["org_acme-7", "team_engineering-7"]
    assert silent["_turnout"]["notes"] == [{"path": "context.groups", "rule": "attached"}]


def test_groups_are_attached_of_users_whom_another_source_has_told(turnout: Running, profiles: Profiles) -> None:
    turnout.post("/v1/group", {"userId": "elsewhere", "groupId": "g-of-segment"}, key="segment-key")
    profiles.user("elsewhere", groups=["g-of-segment"])
    turnout.post("/v1/page", {"userId": "elsewhere", "name": "Home", "event": "seen elsewhere"}, key="attached-key")
    assert event(turnout, "seen elsewhere", "attached")["context"]["groupId"] == "g-of-segment"
