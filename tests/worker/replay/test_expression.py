"""What `--where` can say, and that it can say nothing else."""

from typing import Any

import pytest

from worker.replay.errors import BadExpression
from worker.replay.expression import Expression

MESSAGE: dict[str, Any] = {
    "type": "track",
    "event": "Order Completed",
    "userId": "u1",
    "properties": {"revenue": 120.5, "plan": "Pro", "tags": ["a", "b"], "coupon": None, "items": [{"sku": "s1"}]},
    "context": {"page": {"url": "https://example.com/buy"}, "active": True},
}


@pytest.mark.parametrize(
    "text",
    [
        "properties.revenue > 100 and userId == 'u1'",
        "properties.revenue * 2 == 241",
        "properties['revenue'] >= 120.5",
        "100 < properties.revenue < 200",
        "'a' in properties.tags",
        "properties.plan in ['Pro', 'Team']",
        "type in ('track', 'page') and not (event == 'x')",
        "'Completed' in event",
        "properties.items[0].sku == 's1'",
        "len(properties.tags) == 2",
        "lower(properties.plan) == 'pro'",
        "starts(context.page.url, 'https://') and ends(event, 'Completed')",
        "properties.coupon is None and properties.coupon == null",
        "properties.missing == None",
        "context.active == true",
        "-properties.revenue < 0",
    ],
)
def test_an_expression_holds(text: str) -> None:
    assert Expression(text).holds_for(MESSAGE)


@pytest.mark.parametrize(
    "text",
    [
        "properties.missing > 1",
        "properties.missing < 1",
        "nothing.at.all.there >= 1",
        "properties.plan > 5",
        "5 in properties.revenue",
        "properties.items[7].sku == 's1'",
        "properties.plan + 'x' == 'Prox'",
        "1 / 0 > 0",
        "len(properties.revenue) > 0",
        "lower(userId, ) == 'U1'",
        "properties.revenue.real > 0",
        "properties.keys",
        "'a' * 1000000000",
        "starts(properties.revenue, '1')",
    ],
)
def test_what_is_missing_or_of_another_type_is_false_and_no_error(text: str) -> None:
    assert not Expression(text).holds_for(MESSAGE)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("properties.revenue > ", 21),
        ("", 1),
        ("userId = 'u1'", 8),
        ("userId == 'u1' and open('x')", 20),
        ("event.upper() == 'X'", 1),
        ("event == 'x' or [e for e in event]", 17),
        ("2 ** 100000", 1),
        ("(lambda: 1)()", 1),
        ("'%s' == f'{event}'", 9),
        ("properties.tags[0:1]", 17),
        ("len(event, 1) == 1", 1),
    ],
)
def test_what_cannot_be_said_is_refused_with_its_place(text: str, column: int) -> None:
    with pytest.raises(BadExpression) as refused:
        Expression(text)
    assert refused.value.column == column


@pytest.mark.parametrize("text", ["(" * 900 + "1" + ")" * 900, "not " * 499 + "1", "1+" * 999 + "1", "x" * 2_001])
def test_expressions_that_are_too_deep_or_long_end_in_a_word(text: str) -> None:
    with pytest.raises(BadExpression):
        Expression(text)
