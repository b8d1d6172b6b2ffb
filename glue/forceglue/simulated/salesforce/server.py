"""The org on a socket of this machine: started in a thread, on a free port, until the block ends."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from forceglue.errors import SetupError

if TYPE_CHECKING:
    import uvicorn

    from forceglue.simulated.salesforce.desk import Desk
    from forceglue.simulated.salesforce.faults import Faults
    from forceglue.simulated.salesforce.org import Org
    from forceglue.simulated.salesforce.usage import Usage

HOST = "127.0.0.1"
_PATIENCE = 30
_LONGEST_HEAD = 1 << 20


class OrgServer:
    """A running server.

    Attributes:
        url: its address, such as `http://127.0.0.1:40123`; what a token answer calls `instance_url`.
    """

    def __init__(self, desk: Desk, server: uvicorn.Server, thread: threading.Thread, url: str) -> None:
        self.desk, self.url = desk, url
        self._server, self._thread = server, thread

    @property
    def org(self) -> Org:
        return self.desk.org

    @property
    def faults(self) -> Faults:
        """What goes wrong."""
        return self.desk.faults

    @property
    def usage(self) -> Usage:
        """The day's calls, and the log of calls."""
        return self.desk.usage

    @property
    def token_url(self) -> str:
        """Where tokens are."""
        return f"{self.url}/services/oauth2/token"

    def stop(self) -> None:
        """Ends the server; calls that are under way are cut. What went wrong in the simulated org itself is raised."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(_PATIENCE)
        self.desk.close()
        if self.desk.failures:
            raise self.desk.failures[0]


def start(org: Org, *, port: int = 0, certificate: tuple[Path, Path] | None = None) -> OrgServer:
    """Starts a server in a thread of this process, on loopback.

    Args:
        port: 0 for a free one.
        certificate: PEM files of a certificate and its key, for https.

    Raises:
        SetupError: its packages are not installed, the port is taken, or the server did not start.
    """
    try:
        import uvicorn

        from forceglue.simulated.salesforce.app import App
        from forceglue.simulated.salesforce.desk import Desk
    except ModuleNotFoundError as missing:
        raise SetupError(
            f"the simulated org needs the package {missing.name}: install forceglue with the extra `simulated`, "
            "as in pip install 'forceglue[simulated]'."
        ) from None

    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except OSError as error:
        listening.close()
        raise SetupError(f"the simulated org cannot listen on port {port}: {error.strerror}; give another.") from None
    desk = Desk(org)
    config = uvicorn.Config(
        App(desk),
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
        timeout_graceful_shutdown=1,
        # a client that waits some seconds between two looks at a job must not meet a connection that is just closing
        timeout_keep_alive=120,
        ssl_certfile=certificate[0] if certificate else None,
        ssl_keyfile=certificate[1] if certificate else None,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="simulated-org", daemon=True)
    thread.start()
    waited = time.monotonic() + _PATIENCE
    while not server.started:
        if not thread.is_alive() or time.monotonic() > waited:
            raise SetupError("the simulated org did not start; see what the process wrote, and try again.")
        time.sleep(0.005)
    scheme = "https" if certificate else "http"
    return OrgServer(desk, server, thread, f"{scheme}://{HOST}:{listening.getsockname()[1]}")


@contextmanager
def serve(org: Org, *, port: int = 0, certificate: tuple[Path, Path] | None = None) -> Iterator[OrgServer]:
    """A running server for the length of a block; see `start`."""
    server = start(org, port=port, certificate=certificate)
    try:
        yield server
    finally:
        server.stop()
