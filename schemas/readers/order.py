"""Read the properties of a commercial event: amounts, the order, its products."""

from decimal import Decimal
from typing import Any

from schemas.readers.events import meaning
from schemas.readers.members import Members
from schemas.readers.values import Number, decimal_of, plain


class Product(Members, frozen=True):
    """One of the products of an order, or the one that an event is about."""

    @property
    def product_id(self) -> str | None:
        return self.label("product_id")

    @property
    def sku(self) -> str | None:
        return self.label("sku")

    @property
    def name(self) -> str | None:
        return self.label("name")

    @property
    def url(self) -> str | None:
        return self.text("url")

    @property
    def image_url(self) -> str | None:
        return self.text("image_url")

    @property
    def price(self) -> Number | None:
        return self.amount("price")

    @property
    def quantity(self) -> Number:
        """One unless it is said; zero is zero."""
        said = self.number("quantity")
        return 1 if said is None else said

    @property
    def category(self) -> str | None:
        return self.label("category")

    @property
    def brand(self) -> str | None:
        return self.label("brand")

    @property
    def variant(self) -> str | None:
        return self.label("variant")

    @property
    def coupon(self) -> str | None:
        return self.label("coupon")


class Order(Product, frozen=True):
    event: Any = None

    @property
    def order_id(self) -> str | None:
        return self.label("id", "order_id")

    @property
    def revenue(self) -> Number | None:
        """Of a completed order that does not say its revenue, the total."""
        said = self.amount("revenue")
        if said is None and meaning(self.event) == "Order Completed":
            return self.total
        return said

    @property
    def cents(self) -> Number | None:
        """Hundredths of the revenue, to the nearest; without revenue the value as it is."""
        revenue = self.revenue
        return self.value if revenue is None else round(decimal_of(revenue) * 100)

    @property
    def currency(self) -> str:
        """Three capital letters where it is that; US dollars unless it is said."""
        said = self.text("currency")
        if said is None:
            return "USD"
        return said.upper() if len(said) == 3 and said.isalpha() else said

    @property
    def value(self) -> Number | None:
        return self.amount("value")

    @property
    def total(self) -> Number | None:
        return self.amount("total")

    @property
    def tax(self) -> Number | None:
        return self.amount("tax")

    @property
    def shipping(self) -> Number | None:
        return self.amount("shipping")

    @property
    def discount(self) -> Number | None:
        return self.amount("discount")

    @property
    def subtotal(self) -> Number | None:
        """As said; else the total without tax and shipping and before the discount; else the revenue."""
        said = self.amount("subtotal")
        if said is not None:
            return said
        total = self.total
        if total is None:
            return self.revenue
        return plain(_exact(total) - _exact(self.tax) - _exact(self.shipping) + _exact(self.discount))

    @property
    def products(self) -> tuple[Product, ...]:
        """Those of the list that are objects."""
        said = self.get("products")
        return tuple(Product(one) for one in said if isinstance(one, dict)) if isinstance(said, list) else ()


def _exact(amount: Number | None) -> Decimal:
    return Decimal(0) if amount is None else decimal_of(amount)
