"""What is remembered for a while."""

from collector.groups.fading import Fading


def test_it_fades() -> None:
    now = [0.0]
    kept: Fading[str, list[int]] = Fading(5.0, 100, lambda: now[0])
    kept.put("a", [1])
    now[0] = 4.9
    assert kept.get("a") == [1]
    now[0] = 5.0
    assert kept.get("a") is None


def test_of_too_much_what_was_put_in_longest_ago_goes() -> None:
    kept: Fading[str, list[int]] = Fading(5.0, 6, lambda: 0.0)
    for name in ("a", "b", "c"):
        kept.put(name, [1])
    kept.put("a", [2])
    kept.put("d", [1])
    assert [kept.get(name) for name in ("a", "b", "c", "d")] == [[2], None, [1], [1]]


def test_more_than_fits_at_all_is_not_kept() -> None:
    kept: Fading[str, list[int]] = Fading(5.0, 3, lambda: 0.0)
    kept.put("a", [1, 2, 3])
    assert kept.get("a") is None
