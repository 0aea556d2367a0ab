"""Makes one API call to the running emulator as an account's root user, and prints the response as JSON.

    call.py --endpoint http://127.0.0.1:4566 --account 123456789012 s3 put_object '{"Bucket": "b", "Key": "k", "Body": "x"}'

The tests use it to change the lake outside `deploy`.
"""

from __future__ import annotations

import argparse
import json

import boto3


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes one API call to the running emulator.")
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--account", required=True)
    parser.add_argument("--region", default="eu-central-1")
    parser.add_argument("service")
    parser.add_argument("operation", help="boto3's name of the operation, for example put_object")
    parser.add_argument("parameters", type=json.loads, help="a JSON object")
    options = parser.parse_args()
    client = boto3.client(
        options.service,
        endpoint_url=options.endpoint,
        region_name=options.region,
        aws_access_key_id=options.account,
        aws_secret_access_key="not checked",
    )
    answer = getattr(client, options.operation)(**options.parameters)
    answer.pop("ResponseMetadata", None)
    print(json.dumps(answer, default=lambda value: value.read().decode() if hasattr(value, "read") else str(value)))


if __name__ == "__main__":
    main()
