"""Makes API calls to the running emulator as an account's root user.

    echo '{"account": "123456789012", "service": "s3", "operation": "list_buckets", "parameters": {}}' |
      call.py --endpoint http://127.0.0.1:4566

Reads a call per line from standard input, with boto3's names of service and operation, and prints the response to each as a line
of JSON. A failed call ends the program. The tests use it to change the lake outside `deploy`.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys

import boto3


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes API calls to the running emulator; reads them from standard input.")
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--region", default="eu-central-1")
    options = parser.parse_args()

    # Creating a client takes half a second.
    @functools.cache
    def client(account: str, service: str):
        return boto3.client(
            service,
            endpoint_url=options.endpoint,
            region_name=options.region,
            aws_access_key_id=account,
            aws_secret_access_key="not checked",
        )

    for line in sys.stdin:
        call = json.loads(line)
        response = getattr(client(call["account"], call["service"]), call["operation"])(**call["parameters"])
        response.pop("ResponseMetadata", None)
        print(json.dumps(response, default=to_json), flush=True)


def to_json(value: object) -> str:
    return value.read().decode() if hasattr(value, "read") else str(value)


if __name__ == "__main__":
    main()
