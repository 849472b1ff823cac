"""Shops, and money in the minor units of their currency."""

from datetime import date
from typing import Literal

import msgspec

from domain import days
from domain.names import Name

AMOUNT_MAX = 10**12
"""The most minor units one amount may have."""

_ISO_4217 = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP "
    "BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD "
    "FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT "
    "LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO "
    "NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD "
    "SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG "
    "YER ZAR ZMW ZWG",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
CURRENCY_DIGITS = {code: digits for digits, codes in _ISO_4217.items() for code in codes.split()}
"""Digits after the point of each ISO 4217 currency."""

Kind = Literal["individual", "enterprise", "flagship"]


class Shop(msgspec.Struct, frozen=True):
    """A storefront on a marketplace; `rules` names the rules by which it is scored."""

    shop_id: Name
    marketplace: Name
    category: Name
    currency: str
    time_zone: str
    kind: Kind
    opened_on: date | None
    rules: Name


class ShopDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A shop as a caller describes it; absent `rules` are those of the marketplace's name."""

    marketplace: Name
    category: Name
    currency: str
    time_zone: str = "Asia/Shanghai"
    kind: Kind = "individual"
    opened_on: date | None = None
    rules: Name | None = None

    def __post_init__(self) -> None:
        if self.currency not in CURRENCY_DIGITS:
            raise ValueError("`currency` must be an ISO 4217 code")
        if self.time_zone not in days.zone_names():
            raise ValueError("`time_zone` must be an IANA time zone")

    def named(self, shop_id: str) -> Shop:
        """Return the described shop under an id."""
        return Shop(
            shop_id=shop_id,
            marketplace=self.marketplace,
            category=self.category,
            currency=self.currency,
            time_zone=self.time_zone,
            kind=self.kind,
            opened_on=self.opened_on,
            rules=self.rules or self.marketplace,
        )


class IdentifiedDraft(ShopDraft, frozen=True, kw_only=True):
    """A described shop in a list, with its id."""

    shop_id: Name


def minor_units(amount: str, currency: str) -> int:
    """Return the minor units of a well-formed decimal amount.

    Raises ValueError for digits other than zeros beyond those of the currency, or over
    `AMOUNT_MAX`.
    """
    digits = CURRENCY_DIGITS[currency]
    whole, _, fraction = amount.partition(".")
    if len(fraction) > digits and len(fraction := fraction.rstrip("0")) > digits:
        raise ValueError(f"Expected at most {digits} fraction digits for {currency}")
    text = whole + fraction.ljust(digits, "0")
    if len(text) > len(str(AMOUNT_MAX)) or (units := int(text)) > AMOUNT_MAX:
        raise ValueError(f"Expected at most {money(AMOUNT_MAX, currency)}")
    return units


def money(units: int, currency: str) -> str:
    """Return minor units as a decimal string with exactly the currency's digits."""
    digits = CURRENCY_DIGITS[currency]
    if not digits:
        return str(units)
    # `zfill` keeps a sign before the zeros.
    text = str(units).zfill(digits + (1 if units >= 0 else 2))
    return f"{text[:-digits]}.{text[-digits:]}"
