"""AWS clients: one of each kind in a process, with time limits that fit a function's own.

Of botocore, on which boto3 stands: boto3 brings S3's transfer manager with it, a fifth of a cold start.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session

CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=64,
)


@cache
def client(service: str, config: Config = CONFIG) -> Any:
    """The client of a service (`dynamodb`, `kms`, …), with credentials, region and address from the environment."""
    return _session().create_client(service, config=config)


@cache
def _session() -> Session:
    return Session()
