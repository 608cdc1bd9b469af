"""What the readers give beyond the measured cases, each rule by an example."""

from typing import Any

import msgspec
import pytest

from destinations.samples import samples
from schemas.readers.events import EVENTS, meaning
from schemas.readers.reader import Reader, of
from schemas.readers.values import amount_of
from tests.schemas.readers.everything import answers


def identify(**traits: Any) -> Reader:
    return of({"type": "identify", "userId": "u1", "timestamp": "2024-02-28T12:00:00Z", "traits": traits})


def track(event: str = "Clicked", **properties: Any) -> Reader:
    return of({"type": "track", "userId": "u1", "event": event, "properties": properties})


def group(**traits: Any) -> Reader:
    return of({"type": "group", "userId": "u1", "groupId": "g1", "traits": traits})


def test_an_envelope_gives_its_reader() -> None:
    envelope = samples()["identify full"]
    assert envelope.reader().user.name == "Ada Lovelace"
    assert envelope.reader().user.city == "London"


def test_the_samples_that_adapters_are_tried_with_can_be_read() -> None:
    for envelope in samples().values():
        msgspec.json.encode(answers(envelope.json()))


def test_ids_and_events_are_kept_to_the_letter() -> None:
    message = {"type": "track", "userId": " u1 ", "anonymousId": 7, "event": " Clicked ", "context": {"groupId": " g"}}
    reader = of(message)
    assert (reader.user_id, reader.anonymous_id, reader.group.id, reader.event) == (" u1 ", "7", " g", " Clicked ")


def test_the_properties_of_a_group_message_are_the_groups_and_not_the_users() -> None:
    message = {"type": "group", "groupId": "g1", "properties": {"email": "info@example.com"}}
    assert (of(message).user.email, of(message).group.email) == (None, "info@example.com")
    assert track(email="ada@example.com").group.email is None


def test_a_user_of_a_track_is_described_by_its_context() -> None:
    message = {"type": "track", "context": {"traits": {"Email": "ada@example.com", "first_name": "Ada"}}}
    assert (of(message).user.email, of(message).user.first_name) == ("ada@example.com", "Ada")


def test_an_email_among_the_properties_serves_where_the_traits_have_none() -> None:
    assert track(email="ada@example.com").user.email == "ada@example.com"


def test_keys_of_a_vendor_and_keys_beyond_ascii_match_no_reader() -> None:
    assert identify(**{"$email": "a@b.co", "émail": "a@b.co", "e.mail": "a@b.co"}).user.email is None


def test_null_gives_way_to_another_spelling_and_to_another_name() -> None:
    user = identify(email=None, EMAIL="ada@example.com", avatar=None, photo_url="p").user
    assert (user.email, user.avatar) == ("ada@example.com", "p")


def test_the_best_name_of_a_user_is_id_then_username_then_email() -> None:
    nobody = {"type": "identify", "traits": {"username": "ada", "email": "ada@example.com"}}
    assert of(nobody | {"userId": "u1"}).user.uid == "u1"
    assert of(nobody).user.uid == "ada"
    assert identify().user.username is None
    assert of({"type": "identify", "traits": {"email": "ada@example.com"}}).user.uid == "ada@example.com"


def test_numbers_are_texts_where_labels_are_meant() -> None:
    user = identify(phone=4420, username=7, address={"postalCode": 90210}, company={"id": 12}).user
    assert (user.phone, user.username, user.postal_code, user.company_id) == ("4420", "7", "90210", "12")


def test_parts_of_an_address_may_stand_beside_it_or_among_the_properties() -> None:
    assert identify(address={"city": "London"}, country="GB").user.country == "GB"
    assert identify(**{"address.city": "London"}).user.city == "London"
    assert track(address={"City": "London"}, zip=90210).user.city == "London"
    assert track(zip=90210).user.postal_code == "90210"


@pytest.mark.parametrize(
    ("birthday", "age"), [("2000-02-28", 24), (1_000_000_000, 22), ("2000-02-29", 23), ("2025-01-01", None), (5, None)]
)
def test_age_is_that_on_the_day_of_the_message(birthday: object, age: int | None) -> None:
    assert identify(birthday=birthday).user.age == age


def test_an_age_that_is_said_counts() -> None:
    assert identify(age="41", birthday="1990-01-01").user.age == 41


@pytest.mark.parametrize(
    ("employees", "read"), [(329, 329), ("1,000", 1000), ("1 000", 1000), ("51-200", "51-200"), ("", None), ([], None)]
)
def test_employees_are_a_number_where_they_are_one(employees: object, read: object) -> None:
    assert group(employees=employees).group.employees == read


def test_a_group_has_the_readers_that_a_user_has() -> None:
    found = group(phones=["1", "2"], website="w", photoUrl="a", background="b", address={"state": "CA"}, plan=3).group
    assert (found.phone, found.website, found.avatar, found.description) == ("1", "w", "a", "b")
    assert (found.state, found.plan) == ("CA", "3")


def test_the_traits_of_a_group_may_be_called_properties() -> None:
    message = {"type": "group", "groupId": "g1", "properties": {"name": "Initech", "created": "2014-01-01"}}
    assert of(message).group.name == "Initech"
    assert of(message).traits == {"name": "Initech", "created": "2014-01-01", "id": "g1"}


def test_all_groups_of_an_event_are_known() -> None:
    assert of({"type": "track", "context": {"groups": ["a", "b"], "groupId": "a"}}).group_ids == ("a", "b")
    assert of({"type": "track", "context": {"group_id": 7}}).group_ids == ("7",)
    assert group().group_ids == ("g1",)
    assert track().group_ids == ()


def test_traits_are_renamed_with_what_the_readers_know() -> None:
    user = identify(
        **{"FIRST NAME": "Ada", "lastName": "L", "plan": "pro", "email": None, "created_at": "2014-01-01"}
    ).user
    names = {"firstName": "$first_name", "name": "$name", "email": "$email", "createdAt": "$created", "phone": "$phone"}
    assert user.renamed(names) == {
        "lastName": "L", "plan": "pro", "id": "u1",
        "$first_name": "Ada", "$name": "Ada L", "$email": None, "$created": "2014-01-01",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "amount"),
    [
        ("$1,234.56", 1234.56), ("1,234", 1234), ("EUR 12.50", 12.5), ("12.50 €", 12.5), ("-$5", -5), ("$-5", -5),
        (" 7 ", 7), ("1e3", 1000), ("0", 0), (0, 0), (-0.5, -0.5), (10**30, 10**30), ("0.10", 0.1),
        ("12,50", None), ("1.234,56", None), ("--5", None), ("5 apples", None), ("", None), (True, None), ([], None),
        ("9" * 5000, None), (None, None), ("٣", None), ("$", None),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_a_whole_or_not_at_all(said: object, amount: object) -> None:
    assert amount_of(said) == amount
    assert type(amount_of(said)) is type(amount)


def test_the_subtotal_is_worked_out_from_the_total() -> None:
    assert track(total=103.3, tax=0.1, shipping=0.2, discount="2").order.subtotal == 105
    assert track(subtotal=0, total=5).order.subtotal == 0
    assert track().order.subtotal is None


def test_cents_are_whole_and_nothing_is_not_zero() -> None:
    assert track(revenue=19.99).order.cents == 1999
    assert track(value=3).order.cents == 3
    assert track().order.cents is None


def test_the_total_of_a_completed_order_is_its_revenue() -> None:
    assert track("completed order", total="$10").order.revenue == 10
    assert track("Order Refunded", total="$10").order.revenue is None


def test_a_currency_has_capital_letters() -> None:
    assert (track(currency=" eur ").order.currency, track(currency="credits").order.currency) == ("EUR", "credits")


def test_products_have_readers_of_their_own() -> None:
    (product,) = track(products=[{"Product ID": 7, "PRICE": "$9.50", "quantity": 0}, None]).order.products
    assert (product.product_id, product.price, product.quantity, product.sku) == ("7", 9.5, 0, None)


def test_every_reserved_event_is_known_with_its_verb_before_or_after() -> None:
    assert len(EVENTS) == len(set(EVENTS)) == 88
    assert all(meaning(event) == event and meaning(event.upper().replace(" ", "_")) == event for event in EVENTS)
    assert meaning("Viewed Product List") == meaning("viewedProductCategory") == "Product List Viewed"
    assert meaning("Completed Order") == "Order Completed"
    assert [meaning(event) for event in ("Completed Order Refund", "Заказ", "", 5, None)] == [None] * 5


def test_pages_and_screens_have_a_name_for_where_there_are_only_events() -> None:
    assert of({"type": "page", "category": "Docs", "name": "Home"}).event == "Viewed Docs Home Page"
    assert of({"type": "screen", "name": "Home"}).event == "Viewed Home Screen"
    assert of({"type": "screen"}).event == "Loaded a Screen"
    assert of({"type": "page", "category": "Docs"}).page.event_called("Docs") == "Viewed Docs Page"
    assert (track("Clicked").event, identify().event) == ("Clicked", None)


def test_the_page_of_a_track_is_where_it_happened_not_what_it_is_about() -> None:
    message = {"type": "track", "properties": {"url": "product"}, "context": {"page": {"url": "here", "title": "T"}}}
    assert (of(message).page.url, of(message).page.title) == ("here", "T")


def test_the_referrer_is_looked_for_in_three_places() -> None:
    within, of_page = {"referrer": {"url": "a"}}, {"page": {"referrer": "b"}}
    properties = {"referrer": "c"}
    message = {"type": "page", "properties": properties}
    assert of(message | {"context": within | of_page}).referrer == "a"
    assert of(message | {"context": of_page}).referrer == "b"
    assert of(message).referrer == "c"


def test_the_library_says_the_system_in_a_word() -> None:
    ios = of({"context": {"library": {"name": "analytics-iOS", "version": 4}}})
    assert (ios.library.name, ios.library.version, ios.device_type) == ("analytics-iOS", "4", "ios")
    assert of({"context": {"library": "axios-client"}}).device_type is None
    assert of({}).library.name == "unknown"


def test_only_false_is_inactive() -> None:
    said = [of({"context": {"active": active}}).active for active in (False, True, None, 0, "false")]
    assert said == [False, True, True, True, True]


def test_a_path_reads_views_and_everything_else() -> None:
    message = {"type": "page", "name": "Home", "properties": {"a": [{"B": 0}]}, "context": {"app": {"build": ""}}}
    paths = ("properties.a.0.b", "properties.name", "context.APP.build", "name", "nothing", "traits.x")
    assert [of(message).path(path) for path in paths] == [0, "Home", "", "Home", None, None]


def test_a_reader_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        identify().message = {}  # type: ignore[misc]  # that is the point
