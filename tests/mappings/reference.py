"""What every dataset must hold, computed a second time without forceglue.

Reads a landing folder and the facts (`fixtures/`) in plain Python: the latest version of each record by
SystemModstamp, deleted ones left out, the joins of the facts, one value a column. The end-to-end tests compare
the delivered CSV files with it. Two things it cannot know and leaves out of the comparison: the traceability columns
(they depend on the run), and which of the two forms of an Id is delivered (both are the same Id).
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parent / "fixtures"
PUBLISHER_MAP = "Publisher_System_Ad_Prod_Line_Item_Map"
PARTITIONS = frozenset(f"partition_{n}" for n in range(4))

Record = dict[str, str | None]
"""One record: field name in lower case → text, None where nothing was sent."""
Frame = list[dict[str, Record | None]]
"""Joined rows: alias → record, None where a left join found none."""


@dataclass(frozen=True)
class DatasetFacts:
    """One dataset of the facts: columns as (name, group, expression), joins as (kind, `alias.field`, `alias.field`)."""

    name: str
    file: str
    base: str
    joins: tuple[tuple[str, str, str], ...]
    columns: tuple[tuple[str, str, str], ...]

    @property
    def from_product(self) -> bool:
        """Products and its extracts: four objects, joined as `_product_frame` does."""
        return self.base == "product"

    @property
    def delivered(self) -> tuple[tuple[str, str, str], ...]:
        """The columns that are delivered: the old partition columns have no successor."""
        return tuple(column for column in self.columns if column[2].rpartition(".")[2] not in PARTITIONS)


@dataclass(frozen=True)
class Expected:
    """A dataset's header, the positions that are compared, and its rows in no particular order."""

    name: str
    header: tuple[str, ...]
    compared: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]


def dataset_facts() -> tuple[DatasetFacts, ...]:
    raw = json.loads((FIXTURES / "datasets.json").read_text())
    return tuple(
        DatasetFacts(
            entry["name"],
            entry["file"],
            entry["base"],
            () if entry["joins"] == "product" else tuple(tuple(join) for join in entry["joins"]),
            tuple(tuple(column) for column in entry["columns"]),
        )
        for entry in raw
    )


def object_facts() -> list[dict[str, Any]]:
    facts: list[dict[str, Any]] = json.loads((FIXTURES / "objects.json").read_text())
    return facts


def expected(landing: Path, names: Sequence[str] = ()) -> dict[str, Expected]:
    """The datasets `names` (default: all) as they follow from what lies in `landing`.

    Files that the ingest must reject must not lie under `in/`: call it with a landing after the run, or a clean one.
    """
    objects = live_records(landing)
    return {facts.name: _expected(facts, objects) for facts in dataset_facts() if not names or facts.name in names}


def differences(want: Expected, delivered: Path, limit: int = 5) -> list[str]:
    """What tells the delivered CSV file from the expected rows; empty if nothing does."""
    with delivered.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    if tuple(header) != want.header:
        return [f"{want.name}: header differs: {sorted(set(header) ^ set(want.header))[:limit] or 'in its order'}"]
    have = Counter(tuple(canonical(row[at]) for at in want.compared) for row in rows)
    should = Counter(tuple(canonical(row[at]) for at in want.compared) for row in want.rows)
    shown = [f"{want.name}: missing {row}" for row in list((should - have).elements())[:limit]]
    return shown + [f"{want.name}: not expected {row}" for row in list((have - should).elements())[:limit]]


# --- landed files -------------------------------------------------------------------------------------------------


def live_records(landing: Path) -> dict[str, list[Record]]:
    """Alias → records: the latest version of each, without the deleted ones."""
    latest: dict[str, dict[str, tuple[datetime, Record]]] = defaultdict(dict)
    for alias, path in _files(landing):
        refresh = _refreshes(path)
        for record in _records(path):
            key = id_key(record.get("id"))
            if key is None:
                continue
            stamp = timestamp(record.get("systemmodstamp"))
            if refresh:
                if key in latest[alias] and stamp >= latest[alias][key][0]:
                    latest[alias][key][1].update({k: v for k, v in record.items() if k != "systemmodstamp"})
                continue
            if key not in latest[alias] or stamp >= latest[alias][key][0]:
                latest[alias][key] = (stamp, record)
    return {
        alias: [r for _, r in found.values() if not _is_true(r.get("isdeleted"))] for alias, found in latest.items()
    }


def _files(landing: Path) -> Iterator[tuple[str, Path]]:
    """Alias and file in landing order, which a move keeps: `in/`, `processed/`, or an export directly under the root."""
    aliases: dict[str, str] = {}
    for entry in object_facts():
        if entry["alias"]:
            for name in (entry["source"], entry["label"], entry["table"], *entry["alternatives"]):
                aliases[_squash(name)] = entry["alias"]
    for path in sorted((p for p in landing.rglob("*") if p.is_file()), key=lambda p: (p.stat().st_mtime_ns, p)):
        parts = path.relative_to(landing).parts
        if parts[0] == "error" or path.name.endswith((".facts.json", ".reason.json")) or path.name.startswith("."):
            continue
        token = parts[1] if parts[0] in ("in", "processed") and len(parts) > 2 else Path(parts[0]).stem
        alias = aliases.get(_squash(re.sub(r"^(.*-)?Salesforce-", "", token)))
        if alias:
            yield alias, path


def _refreshes(path: Path) -> bool:
    """Whether the file has nothing but formula values of records that have landed before."""
    if not path.read_bytes().startswith(b"PAR1"):
        return False
    import pyarrow.parquet as pq

    mark = (pq.read_schema(path).metadata or {}).get(b"forceglue.patch", b"{}")
    return bool(json.loads(mark).get("kind") == "refresh")


def _squash(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _records(path: Path) -> Iterator[Record]:
    head = path.read_bytes()[:64]
    if head.startswith(b"PAR1"):
        import pyarrow.parquet as pq

        rows: Iterable[dict[str, Any]] = pq.read_table(path).to_pylist()
    elif head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{"):
        lines = path.read_text(encoding="utf-8-sig").split("\n")
        rows = (json.loads(line, parse_float=str, parse_int=str) for line in lines if line.strip())
    else:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [{k: v or None for k, v in row.items()} for row in csv.DictReader(file)]
    for row in rows:
        yield {name.lower(): _text(value) for name, value in row.items()}


def _text(value: Any) -> str | None:
    """A typed value as text: a number never with an exponent, a point in time to the millisecond as Salesforce's own API."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    if isinstance(value, (date, int)):
        return str(value)
    if isinstance(value, (float, Decimal)):
        return f"{Decimal(str(value)):f}"
    return json.dumps(value, separators=(",", ":"))


def timestamp(text: str | None) -> datetime:
    """A Salesforce timestamp in any of its forms; what is none is older than everything."""
    oldest = datetime.min.replace(tzinfo=UTC)
    if not text:
        return oldest
    if re.fullmatch(r"\d{12,14}", text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    try:
        moment = datetime.fromisoformat(re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", text.strip()))
    except ValueError:
        return oldest
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_true(text: str | None) -> bool:
    return (text or "").strip().lower() in ("true", "1")


# --- ids ----------------------------------------------------------------------------------------------------------


def long_id(short: str) -> str:
    """The 18-character form of a 15-character Id: three letters say which of its letters are capitals."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    chunks = (short[:5], short[5:10], short[10:])
    return short + "".join(letters[sum(1 << at for at, c in enumerate(chunk) if "A" <= c <= "Z")] for chunk in chunks)


def id_key(text: str | None) -> str | None:
    """What two forms of one Id share."""
    if not text:
        return None
    return canonical(text)


def canonical(text: str) -> str:
    """`text` with every 18-character Id in it in its 15-character form."""
    return re.sub(r"\b[A-Za-z0-9]{18}\b", lambda m: m[0][:15] if long_id(m[0][:15]) == m[0] else m[0], text)


# --- rows ---------------------------------------------------------------------------------------------------------


def _expected(facts: DatasetFacts, objects: dict[str, list[Record]]) -> Expected:
    if facts.from_product:
        frame = _product_frame(objects)
    else:
        frame = [{facts.base: record} for record in objects.get(facts.base, [])]
        for kind, left, right in facts.joins:
            frame = _join(frame, kind, left, right, objects)
    values: list[Callable[[dict[str, Record | None]], str | None]]
    if facts.name == PUBLISHER_MAP:
        frame = [row for row in frame if (_field(row, _PUBLISHER[0]) or "").strip(" ")]
        values = [_value(expression) for expression in _PUBLISHER]
    else:
        values = [_value(expression) for _, _, expression in facts.delivered]
    return Expected(
        facts.name,
        tuple(name for name, _, _ in facts.delivered),
        tuple(at for at, (_, group, _) in enumerate(facts.delivered) if group != "technical"),
        tuple(tuple(value(row) or "" for value in values) for row in frame),
    )


_PUBLISHER = (
    "order_ad_placement.vlocity_cmt__adserverorderlineidentiifier__c",
    "order_ad_placement.production_system__c",
    "order_ad_placement.swm_parent_media_placement__c",
)


def _join(frame: Frame, kind: str, left: str, right: str, objects: dict[str, list[Record]]) -> Frame:
    """One more alias: whichever side is not in the frame yet; `kind` is inner or left."""
    if frame and right.split(".", maxsplit=1)[0] in frame[0]:
        left, right = right, left
    alias, field = right.split(".")
    matches: dict[str, list[Record]] = defaultdict(list)
    for record in objects.get(alias, []):
        key = id_key(record.get(field.lower()))
        if key is not None:
            matches[key].append(record)
    joined: Frame = []
    for row in frame:
        found: Sequence[Record | None] = matches.get(id_key(_field(row, left)) or "", ())
        if not found and kind == "left":
            found = (None,)
        joined += [{**row, alias: record} for record in found]
    return joined


def _product_frame(objects: dict[str, list[Record]]) -> Frame:
    """As the old script nests it: (size type of a space LEFT size) FULL ad space, then product LEFT all of that."""
    sizes: Frame = [
        {"ad_space_creative_size_type": record} for record in objects.get("ad_space_creative_size_type", [])
    ]
    link = "ad_space_creative_size_type.vlocity_cmt__"
    sizes = _join(sizes, "left", link + "adcreativesizetypeid__c", "ad_creative_size_type.id", objects)
    spaces = _join(sizes, "left", link + "adspacespecificationid__c", "ad_space_specification.id", objects)
    met = {id_key(_field(row, "ad_space_specification.id")) for row in spaces}
    nothing: dict[str, Record | None] = {"ad_space_creative_size_type": None, "ad_creative_size_type": None}
    for record in objects.get("ad_space_specification", []):
        if id_key(record["id"]) not in met:
            spaces.append({**nothing, "ad_space_specification": record})
    of_product: dict[str | None, Frame] = defaultdict(list)
    for row in spaces:
        of_product[id_key(_field(row, "ad_space_specification.vlocity_cmt__product2id__c"))].append(row)
    of_product.pop(None, None)
    nothing = {**nothing, "ad_space_specification": None}
    return [
        {"product": product, **row}
        for product in objects.get("product", [])
        for row in of_product.get(id_key(product["id"]), [nothing])
    ]


def _field(row: dict[str, Record | None], name: str) -> str | None:
    alias, field = name.split(".")
    return (row.get(alias) or {}).get(field.lower())


def _value(expression: str) -> Callable[[dict[str, Record | None]], str | None]:
    if expression in ("NULL", "CAST(NULL AS STRING)"):
        return lambda row: None
    if expression.startswith("'"):
        return lambda row: expression[1:-1]
    if expression == "product_id()":
        return product_id
    if expression == "product_name()":
        return product_name
    if expression.endswith(".isdeleted"):  # a boolean in the tables, so one form of it
        return lambda row: None if (v := _field(row, expression)) is None else str(_is_true(v)).lower()
    return lambda row: _field(row, expression)


def product_id(row: dict[str, Record | None]) -> str:
    others = ("ad_creative_size_type", "ad_space_specification", "ad_space_creative_size_type")
    return "-".join([_field(row, "product.id") or "", *(_field(row, f"{alias}.id") or "None" for alias in others)])


def product_name(row: dict[str, Record | None]) -> str | None:
    """The steps `name1` to `name4` of the old script, one after the other."""
    name = _field(row, "product.name")
    if not name:
        return name
    size = "ad_creative_size_type.vlocity_cmt__"
    width, height, run_time = (_whole(_field(row, f"{size}{part}__c")) for part in ("width", "height", "runtime"))
    video = _field(row, size + "mediatype__c") == "Digital Video"
    device = "CTV" if "_CTV_" in (_field(row, "ad_space_specification.name") or "") else ""
    label = f"{width}x{height}" if width > 0 and height > 0 else ""
    label += "v" if video else ""
    if video and device:
        label = f"{device} | {label}"
    if run_time > 0:
        label = f"{run_time} | {label}"
    return f"{name} {label}" if label else name


def _whole(text: str | None) -> int:
    """Rounded to two places, then cut; 0 where it is no number, or none that an int holds."""
    try:
        number = int(Decimal((text or "0").strip()).quantize(Decimal("0.01"), ROUND_HALF_UP))
    except InvalidOperation:
        return 0
    return number if number < 2**31 else 0
