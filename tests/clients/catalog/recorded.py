"""Clients that cannot run in a test: the requests that their sources build are replayed from tests/wire."""

from tests.clients.certificate import Client, Scenario

_OPTIONS = "`apiHost`, `cdnHost`"


def _replayed(name: str, version: str, language: str, points: str) -> Client:
    scenarios = {Scenario.CALLS: ""}
    return Client(name=name, version=version, kind="recorded", language=language, points=points, scenarios=scenarios)


BY_FILE = {
    "swift": _replayed("analytics-swift", "1.9.4", "Swift", _OPTIONS),
    "kotlin": _replayed("analytics-kotlin", "1.24.1", "Kotlin", _OPTIONS),
    "react-native": _replayed("@segment/analytics-react-native", "2.24.1", "JavaScript", "`proxy`, `cdnProxy`"),
    "android": _replayed("analytics-android (classic)", "4.11.3", "Java", "`connectionFactory`"),
    "ios": _replayed("analytics-ios (classic)", "4.1.8", "Objective-C", "`requestFactory`"),
    "csharp": _replayed("Analytics-CSharp", "2.6.0", "C#", _OPTIONS),
    "dotnet": _replayed("Analytics.NET (classic)", "3.8.1", "C#", "`Config.SetHost`"),
    "ruby": _replayed("analytics-ruby", "2.5.0", "Ruby", "`host`, `port`"),
    "php": _replayed("analytics-php", "3.8.2", "PHP", "`host`"),
    "browser-classic": _replayed("analytics.js (classic)", "4.1.1", "JavaScript", "`apiHost`"),
}
"""By the file in tests/wire, without its ending."""

CLIENTS = tuple(BY_FILE.values())
