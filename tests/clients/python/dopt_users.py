"""Makes calls on Dopt's Python client: what it is to do comes in as JSON, what came of each call goes out.

See `tests/clients/dopt_clients.py` for both. This runs in the client's own environment, without any of our packages.
"""

import json
import sys
from importlib import import_module
from typing import Any

DoptApi = import_module("dopt.client").DoptApi
ApiError = import_module("dopt.core.api_error").ApiError
types = import_module("dopt.types")

CONNECTED: set[str] = set()


def note_connections(event: str, words: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        CONNECTED.add(":".join(str(word) for word in words[1][:2]))


def outcome(client: Any, method: str, told: Any) -> dict[str, Any]:
    try:
        match method:
            case "identifyUser":
                groups = [types.IdentifyUserRequestBodyGroupsItem(**group) for group in told.pop("groups", [])]
                answer = client.users.identify_user(**told, groups=groups)
            case "identifyUsers":
                answer = client.users.identify_users(request=[user_of(user) for user in told])
            case _:
                answer = client.groups.identify_group(**told)
    except ApiError as error:
        body = error.body if isinstance(error.body, dict) else json.loads(error.body.json())
        return {"error": type(error).__name__, "status": error.status_code, "body": body}
    return {"answer": None if answer is None else json.loads(answer.json())}


def user_of(told: dict[str, Any]) -> Any:
    groups = [types.IdentifyBatchRequestBodyItemGroupsItem(**group) for group in told.pop("groups", [])]
    return types.IdentifyBatchRequestBodyItem(**told, groups=groups)


def main() -> None:
    sys.addaudithook(note_connections)
    outcomes = {}
    for name, run in json.load(sys.stdin).items():
        client = DoptApi(base_url=run["url"], api_key=run["key"])
        outcomes[name] = [outcome(client, method, told) for method, told in run["calls"]]
    print(json.dumps({"outcomes": outcomes, "connected": sorted(CONNECTED)}))


main()
