from __future__ import annotations

import socket

import pytest

from forceglue.errors import SetupError
from local_stack import ports


def test_the_usual_port_is_taken_where_it_is_free() -> None:
    usual = ports.free()
    assert ports.chosen("AWS_PORT", "", usual) == usual


def test_a_free_one_where_it_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        usual = listening.getsockname()[1]
        assert ports.is_taken(usual)
        assert ports.chosen("AWS_PORT", "", usual) not in {0, usual}


def test_a_port_that_was_asked_for_is_that_one_or_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        taken = listening.getsockname()[1]
        with pytest.raises(SetupError, match=f"AWS_PORT={taken}: another program listens there"):
            ports.chosen("AWS_PORT", str(taken), 4566)
    free = ports.free()
    assert ports.chosen("AWS_PORT", str(free), 4566) == free
    assert ports.chosen("AWS_PORT", "0", 4566) != 4566


@pytest.mark.parametrize("said", ["http", "-1", "70000"])
def test_what_is_no_port_is_told(said: str) -> None:
    with pytest.raises(SetupError, match="AWS_PORT is"):
        ports.chosen("AWS_PORT", said, 4566)
