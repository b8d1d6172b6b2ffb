"""The bulk download of simple-salesforce, then pandas to Parquet: python -m … URL FOLDER."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
import requests
from simple_salesforce import Salesforce

from benchmarks.by_hand.org_server import APP, FIELDS, OBJECT, SECRET

PAGE = 100_000


def main(url: str, folder: Path) -> None:
    asked = {"grant_type": "client_credentials", "client_id": APP, "client_secret": SECRET}
    token = requests.post(f"{url}/services/oauth2/token", data=asked, timeout=60).json()["access_token"]
    org = Salesforce(instance_url=url, session_id=token, version="67.0")
    for name, value in vars(org).items():  # it knows nothing but https
        if isinstance(value, str) and value.startswith("https://127."):
            setattr(org, name, value.replace("https://", "http://"))
    folder.mkdir(parents=True, exist_ok=True)
    soql = f"SELECT {', '.join(f['name'] for f in FIELDS)} FROM {OBJECT}"
    rows = 0
    for number, page in enumerate(getattr(org.bulk2, OBJECT).download(soql, path=str(folder), max_records=PAGE)):
        frame = pd.read_csv(page["file"])
        frame.to_parquet(folder / f"{number}.parquet")
        rows += len(frame) if len(frame.columns) == len(FIELDS) else 0
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
