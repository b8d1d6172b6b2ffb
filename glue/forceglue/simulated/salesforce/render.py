"""Rows of stored texts as the JSON of records: written straight, so that numbers keep all digits and pages are fast."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from forceglue.simulated.salesforce.soql.compile import Compiled, Group, Leaf
from forceglue.simulated.salesforce.wire import json_token

Row = Sequence[Any]
Writer = Callable[[Row], str]
TypeOf = Callable[[str], str]


def attributes(kind: str, record_id: str, version: str) -> str:
    """What every record begins with."""
    return f'"attributes":{{"type":"{kind}","url":"/services/data/v{version}/sobjects/{kind}/{record_id}"}}'


def record_writer(compiled: Compiled, version: str, type_of: TypeOf) -> Writer:
    """Gives the function that writes one row of the compiled query.

    Args:
        type_of: the object that an id belongs to, for references to several objects.
    """
    body = _members(compiled.nodes, version, type_of)
    if compiled.aggregated:
        return lambda row: f'{{"attributes":{{"type":"AggregateResult"}}{body(row)}}}'
    kind = compiled.schema.name
    start = f'{{"attributes":{{"type":"{kind}","url":"/services/data/v{version}/sobjects/{kind}/'
    if any(isinstance(node, Leaf) and node.kind == "base64" for node in compiled.nodes):
        return lambda row: f'{start}{row[0]}"}}{body(_with_addresses(compiled, row, version))}}}'
    return lambda row: f'{start}{row[0]}"}}{body(row)}}}'


def _with_addresses(compiled: Compiled, row: Row, version: str) -> Row:
    """A row with the addresses of its files in the place of what they hold."""
    kind, shown = compiled.schema.name, list(row)
    for node in compiled.nodes:
        if isinstance(node, Leaf) and node.kind == "base64" and shown[node.at] is not None:
            shown[node.at] = f"/services/data/v{version}/sobjects/{kind}/{row[0]}/{node.key}"
    return shown


def _members(nodes: Sequence[Leaf | Group], version: str, type_of: TypeOf) -> Writer:
    """Writes `,"key":value` for each node."""
    if all(isinstance(node, Leaf) for node in nodes):
        return _leaves([node for node in nodes if isinstance(node, Leaf)])
    writers = [
        _leaves([node]) if isinstance(node, Leaf) else _group(node, version, type_of)
        for node in nodes
    ]  # fmt: skip
    return lambda row: "".join([write(row) for write in writers])


def _leaves(nodes: Sequence[Leaf]) -> Writer:
    plan = [(f",{json.dumps(node.key)}:", node.at, json_token(node.kind)) for node in nodes]

    def write(row: Row) -> str:
        return "".join(
            [
                key + ("null" if (value := row[at]) is None else token(value) if type(value) is str else str(value))
                for key, at, token in plan
            ]
        )

    return write


def _group(node: Group, version: str, type_of: TypeOf) -> Writer:
    key, body, id_at = json.dumps(node.key), _members(node.nodes, version, type_of), node.id_at
    if id_at is None:
        places = [leaf.at for leaf in node.nodes if isinstance(leaf, Leaf)]

        def write_compound(row: Row) -> str:
            if all(row[at] is None for at in places):
                return f",{key}:null"
            return f",{key}:{{{body(row)[1:]}}}"

        return write_compound

    def write(row: Row) -> str:
        found = row[id_at]
        if found is None:
            return f",{key}:null"
        return f",{key}:{{{attributes(type_of(found) or node.type, found, version)}{body(row)}}}"

    return write
