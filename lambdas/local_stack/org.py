"""`python -m local_stack.org`: the demo's Salesforce org, filled, answering until it is ended."""

from __future__ import annotations

import os
import signal
import threading

PORT_VARIABLE = "LOCAL_ORG_PORT"


def main() -> None:
    """Serves on the port that the environment names."""
    from forceglue.demo.folder import shipped_mappings
    from forceglue.demo.org import demo_org
    from forceglue.mapping.load import load_project
    from forceglue.simulated.salesforce.server import serve

    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    demo = demo_org(load_project(shipped_mappings()).catalog)
    demo.late.commit()
    demo.clock.go_on()
    with demo.org, serve(demo.org, port=int(os.environ[PORT_VARIABLE])):
        ended.wait()


if __name__ == "__main__":
    main()
