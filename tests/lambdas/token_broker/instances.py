"""Broker instances as processes: started by fork from one that has nothing but the code, so they share no memory.

Run as a program; standard input says what to do, as JSON; each line of standard output is what one caller got.
`dies` ends the first holder as if the machine had gone: `asking` before Salesforce is asked, `answered` after it has
answered and before the token is stored.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

import boto3

from forceglue.salesforce.settings import Connection
from lambdas.kit import Aws, Instance
from token_broker import holder
from token_broker.settings import BrokerSettings

KILLED = 9


def main() -> None:
    told = json.load(sys.stdin)
    # clients are made before the fork and have no connection yet: making fifty would be most of the test's time
    dynamodb, kms = (boto3.client(service) for service in ("dynamodb", "kms"))
    aws = Aws(os.environ["AWS_ENDPOINT_URL"], dynamodb, kms, None, told["settings"]["table"], told["settings"]["key"])
    way, settings = Connection(**told["connection"]), BrokerSettings(**told["settings"])
    starts = time.time() + 0.02 * told["instances"]
    children = [pid for _ in range(told["instances"]) if (pid := _forked(aws, way, settings, told, starts))]
    ended = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    failed = [code for code in ended if code not in (0, KILLED)]
    sys.stdout.write(json.dumps({"killed": ended.count(KILLED), "failed": len(failed)}))


def _forked(aws: Aws, way: Connection, settings: BrokerSettings, told: dict[str, Any], starts: float) -> int:
    if pid := os.fork():
        return pid
    code = 1
    try:
        if told["dies"]:
            _dies(told["dies"])
        instance = Instance(aws, way, settings)
        time.sleep(max(0.0, starts - time.time()))
        lines: list[str] = []
        threads = [threading.Thread(target=lambda: lines.append(_call(instance))) for _ in range(told["callers"])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        os.write(1, ("\n".join(lines) + "\n").encode())  # one write, so that lines of two processes do not mix
        code = 0
    finally:
        os._exit(code)
    return 0


def _call(instance: Instance) -> str:
    return json.dumps({"token": instance.broker.token().access_token})


def _dies(where: str) -> None:
    if where == "asking":
        holder.mint = lambda *_: os._exit(KILLED)
    else:
        holder.Holder._saved = lambda *_, **__: os._exit(KILLED)  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    main()
