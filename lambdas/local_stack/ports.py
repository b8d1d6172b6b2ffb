"""Ports of the loopback interface."""

from __future__ import annotations

import socket

from forceglue.errors import SetupError

HOST = "127.0.0.1"


def free() -> int:
    """A port that nobody uses now."""
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        return int(listening.getsockname()[1])


def is_taken(port: int) -> bool:
    """Whether somebody listens there, on loopback or everywhere."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
        except OSError:
            return True
    return False


def chosen(variable: str, said: str, usual: int) -> int:
    """The port to listen on: the one that was asked for, else the usual one, else a free one.

    Args:
        variable: the name of the variable that asks, for messages.
        said: what it holds; empty for nothing, 0 for any free port.
        usual: 0 for any free port.

    Raises:
        SetupError: the port that was asked for is no port, or is taken.
    """
    if not said:
        return usual if usual and not is_taken(usual) else free()
    if not said.isdigit() or int(said) > 65535:
        raise SetupError(f"{variable} is {said!r}, and a port is a number up to 65535. Leave it out for a free one.")
    if int(said) and is_taken(int(said)):
        raise SetupError(
            f"{variable}={said}: another program listens there. End it, or leave {variable} out for a free port."
        )
    return int(said) or free()
