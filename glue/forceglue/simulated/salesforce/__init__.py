"""A simulated Salesforce org: what is in it is said in Python, what clients see comes over real sockets.

`Org` holds objects, records and users; `serve(org)` answers as Salesforce does. `server.faults` makes it misbehave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forceglue.simulated.salesforce.clock import SetClock
    from forceglue.simulated.salesforce.org import Org
    from forceglue.simulated.salesforce.server import OrgServer, serve

_HOME = {"Org": "org", "OrgServer": "server", "SetClock": "clock", "serve": "server"}
__all__ = ["Org", "OrgServer", "SetClock", "serve"]


def __getattr__(name: str) -> Any:
    """What is asked for is imported then: a server is not needed to describe an org."""
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
