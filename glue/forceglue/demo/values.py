"""Values of a made-up org: one small pool of texts a field, chosen by the field's name.

Every value is the text that Salesforce's REST API sends; `demo.files` turns it into other forms. Nobody here is real.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal[
    "id", "secret", "blank", "boolean", "date", "datetime", "money", "percent", "integer", "coordinate", "email",
    "phone", "url", "address", "json", "long_text", "person", "company", "place", "code", "pick",
]  # fmt: skip
Pool = list[str | None]

BASE = datetime(2026, 11, 1, tzinfo=UTC)
"""The fixed time of the full load; every stamp of the full load lies before it."""

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_FIRST_SERIAL = 86_420_975_310


def _words(text: str) -> list[str]:
    return text.split(",")


GIVEN = _words(
    "Arlo,Bree,Cato,Dilys,Emrys,Fenna,Goran,Hedda,Iker,Juno,Kaito,Liora,Milo,Nadja,Oisin,Petra,Quill,Runa,Tove"
)
FAMILY = _words(
    "Ashgrove,Birkfell,Coldwater,Dunmore-Vale,Eastlake,Farrowby,Glenholt,Hartmoor,Ironside,Juniper,Kestrel,Larkspur,"
    "Null,O'Merrow,Pellworth,Quarrington,Rowanfell,Saltmarsh,Thistlewood,Underhill,Wrenfield,Øresund,Żółkiew"
)
COMPANY = _words("Bluegum,Harbourline,Lanternfish,Silverpine,Copperleaf,Driftwood,Saltbush,Mistral,Tanglewood,Quokka")
TRADE = _words("Media,Foods & Co,Motors,Travel,Insurance Pty Ltd,Outdoor,Telco,Books,Homewares,Energy")
PLACES = _words("Sydney,Melbourne,Perth,São Paulo,Zürich,Reykjavík,NSW,VIC,00501,2000")
PICKS = _words("Standard,Premium,Draft,Active,Pending Approval,N/A,NA,Ü-Tier,A;B;C,Other ")
LONG_TEXTS = (
    'She said "go" and left',
    "first line\nsecond line",
    "Windows line\r\nends here",
    'commas, "quotes", and\na newline, all at once',
    "  two blanks before and after  ",
    "tab\there; semicolon; pipe | back\\slash",
    "رسالة باللغة العربية مع فواصل، وعلامات",
    "广告投放说明 第一季度",
    "หมายเหตุภาษาไทยที่ไม่มีช่องว่าง",
    "Größe, façade, naïve, Ærø",
    "emoji 🎬📺 and a family 👨‍👩‍👧",
    "00123",
    "NULL",
    "NA",
    "'single quoted'",
    "=SUM(A1:A2)",
    "<b>html &amp; entities</b>",
    "long text " * 120,
)
_STAMPS = (
    "createddate|lastmodifieddate|systemmodstamp|lastvieweddate|lastreferenceddate|lastlogindate|lastpasswordchangedate"
)
_RULES: tuple[tuple[Kind, str], ...] = (
    ("id", r"id"),
    ("secret", r"amazon_iam_(key|secret)"),
    ("blank", r"ssn|socialsecuritynumber|userpass\w*|userlease\w*|driverslicensenumber"),
    ("boolean", r"(is|has|can(use|create)?)_?(?!sue)[a-z]\w*(?<!name)(?<!reason)"),
    (
        "boolean",
        r"(userpermissions|userpreferences|emailpreferences|receives)\w+|contains_\w+|\w+_(completed|breached)",
    ),
    ("boolean", r"forecastenabled|taxed|budget_confirmed|trackasagreement|enableautopay|primary"),
    ("datetime", rf"{_STAMPS}|activateddate|lastapproveddate|emailbounceddate|lastcu(request|update)date"),
    ("datetime", r"\w*datetime|(queued|firstsubmitattempt)ts|lastpricedat"),
    ("date", r"\w*date|\w+_effective_(from|to)|approvedon|extended_till"),
    ("coordinate", r"\w*(latitude|longitude)"),
    (
        "code",
        r"\w*(identifier|identiifier|taxid|brief_id|gamorderid|lineitemid|gam_id|account_id|customer_id|debtor_id|abn)",
    ),
    ("address", r"\w*(?<!email)(?<!mail_)address"),
    ("email", r"username|\w*email(_?id|address)?"),
    ("phone", r"\w*(phone|fax)"),
    ("url", r"\w*(url|website|photo)"),
    (
        "json",
        r"json\w*|\w+json|attribute(metadata|rules|defaultvalues)\w*|\w+(metadata|messagedata|eventdata|logdata)\w*",
    ),
    ("long_text", r"\w*(description|notes?|message|processinglog|specialterms|history|targetings?|signature|helptext)"),
    ("long_text", r"\w*(aboutme|error|details)"),
    ("percent", r"\w*(percent|percentage|probability|commissions?|preminum|premium|sov)|discount"),
    ("integer", r"\w*(quantity|(?<!dis)(?<!ac)count|(?<!keeping)unit|units|impressions?|clicks|width|height|runtime)"),
    (
        "integer",
        r"\w*(sortorder|sequence|interval|frequency|days|employees|months|lines|term|quotes|extended|copies|line_items)",
    ),
    ("integer", r"fiscal(year|quarter)|numberof\w+|count(of)?_\w+|countof\w+"),
    (
        "money",
        r"\w*(amount|total2?|price|charge|cost|budget|rate|value|margin|revenue|networth|income|turnover|credit_limit)",
    ),
    (
        "money",
        r"\w*(gross|net|gst|tax|ad_?time|ratingpoint|cltv|discount|ecpm|credit|shippinghandling)|total_\w+|creditscore",
    ),
    (
        "person",
        r"(first|last|middle)name|quotetoname|\w*(owner|user|manager|lockedby|lockedfor|approver|contact|exec|coord)",
    ),
    ("company", r"\w*(accountname|billingname|shippingname|agency|brand|companyname|trading_name|advertiser)"),
    ("place", r"\w*(street|city|state|postalcode|country)"),
    ("code", r"\w*(code|number|num|key|ref_no|no|reference|externalid|stockkeepingunit|id)"),
)
_COMPILED = tuple((kind, re.compile(pattern)) for kind, pattern in _RULES)


def core(field: str) -> str:
    """The part of a field name that says what it is: lower case, without namespace and `__c`."""
    return re.sub(r"^(vlocity_cmt__|blng__|xfiles__|neilon__)?(swm_)?|__[ce]$", "", field.lower())


def kind_of(field: str) -> Kind:
    """What kind of value a field holds, by its name; `pick` when the name says nothing."""
    name = core(field)
    return next((kind for kind, pattern in _COMPILED if pattern.fullmatch(name)), "pick")


def checksum(id15: str) -> str:
    """The three characters that make a 15-character id safe where case is lost."""
    chunks = (id15[start : start + 5] for start in (0, 5, 10))
    return "".join(_CHECK[sum(1 << bit for bit, char in enumerate(chunk) if "A" <= char <= "Z")] for chunk in chunks)


def record_id(prefix: str, serial: int) -> str:
    """The 18-character id of the `serial`-th record (from 0) of the object with this three-character key prefix.

    Neighbours differ in the case of a letter only, as in a real org: who lower-cases ids mixes records up.
    """
    number, digits = _FIRST_SERIAL + serial, ""
    for _ in range(9):
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    id15 = f"{prefix}Fg0{digits}"
    return id15 + checksum(id15)


def stamp(at: datetime) -> str:
    """A datetime as REST sends it, with milliseconds: `2026-11-01T08:00:00.000+0000`."""
    return f"{at.isoformat(timespec='milliseconds')[:23]}+0000"


def dice(*name: object) -> Random:
    """Random numbers that depend on the name only."""
    return Random("/".join(map(str, name)))  # made-up data must come out the same each time


def company(rng: Random) -> str:
    """A made-up company."""
    return f"{rng.choice(COMPANY)} {rng.choice(TRADE)}"


def _addresses(_: Random) -> list[str]:
    parts = {"city": "Sydney", "country": "AU", "latitude": None, "street": '1 "Test" Street, Level 2'}
    return [json.dumps(parts | {"postalCode": f"{n:04d}"}) for n in (200, 800, 2000)]


def _money(rng: Random) -> list[str]:
    return [f"{rng.randrange(100, 90_000_000) / 100:.2f}" for _ in range(40)] + ["0", "1.25E7", "-310.5"]


def _moments(rng: Random) -> list[str]:
    return [stamp(BASE - timedelta(milliseconds=rng.randrange(1, 40_000_000_000))) for _ in range(40)]


_MAKERS: dict[Kind, Callable[[Random], list[str]]] = {
    "date": lambda rng: [(BASE + timedelta(days=rng.randrange(-500, 400))).date().isoformat() for _ in range(40)],
    "datetime": _moments,
    "money": _money,
    "percent": lambda _: [*map(str, range(0, 101, 5)), "12.5"],
    "integer": lambda rng: [*(str(rng.randrange(0, 5000)) for _ in range(30)), "0", "1000000"],
    "coordinate": lambda rng: [f"{rng.uniform(-90, 90):.6f}" for _ in range(20)],
    "email": lambda _: [f"{given}.{n}@example.com".lower() for n, given in enumerate(GIVEN)],
    "phone": lambda rng: [*(f"0{rng.randrange(2, 9)} 5550 {rng.randrange(10000):04d}" for _ in range(20)), "+61 5550"],
    "url": lambda rng: [f"https://example.com/{rng.randrange(1000)}?a=1&b=2" for _ in range(10)],
    "address": _addresses,
    "json": lambda _: [json.dumps({"a": n, "b": ["x", 'y "z"']}) for n in range(5)],
    "long_text": lambda _: [*LONG_TEXTS, *(f"Campaign note {n}" for n in range(20))],
    "person": lambda rng: [f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}" for _ in range(20)],
    "company": lambda rng: [company(rng) for _ in range(20)],
    "place": lambda _: PLACES,
    "code": lambda rng: [*(f"{rng.randrange(100_000):08d}" for _ in range(30)), "00123", "1E5", "0x1F"],
    "pick": lambda _: PICKS,
}


def pool(kind: Kind, rng: Random) -> Pool:
    """Some texts of a kind; None stands for null, as often as it should come.

    `id`, `secret` and `blank` have nothing but nulls here: the first two are one a record, the third stays empty.
    """
    if kind == "boolean":
        return ["true", "false", "false"]
    if kind not in _MAKERS:
        return [None]
    texts = _MAKERS[kind](rng)
    filled = rng.choice((0.5, 0.8) if kind == "long_text" else (0.2, 0.4, 0.8, 0.95))
    return [*texts, *[None] * round(len(texts) * (1 - filled) / filled)]
