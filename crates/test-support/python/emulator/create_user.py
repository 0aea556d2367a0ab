"""Creates and deletes IAM users in a running emulator (see serve.py), as the account's root user.

    create_user.py --endpoint http://127.0.0.1:4566 --account 123456789012 NAME POLICY_FILE
    create_user.py --endpoint http://127.0.0.1:4566 --account 123456789012 --delete NAME

Creating a user prints its access key as JSON: {"access_key_id": …, "secret_access_key": …}. An existing user of that name
is replaced, with its policy and access keys.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import boto3
from botocore.config import Config

POLICY = "test"


def main() -> None:
    parser = argparse.ArgumentParser(description="Creates and deletes IAM users in the emulator.")
    parser.add_argument("--endpoint", required=True, help="the emulator's URL")
    parser.add_argument("--account", default="123456789012", help="the account's number")
    parser.add_argument("--delete", action="store_true", help="deletes the user")
    parser.add_argument("name")
    parser.add_argument("policy", nargs="?", type=Path, help="file with a policy document")
    options = parser.parse_args()
    if options.delete == bool(options.policy):
        parser.error("expected either a policy or --delete")
    # The root user's access key is the account's number, with any secret.
    iam = boto3.client(
        "iam",
        endpoint_url=options.endpoint,
        region_name="us-east-1",
        aws_access_key_id=options.account,
        aws_secret_access_key="any",
        config=Config(proxies={}),
    )
    delete(iam, options.name)
    if options.policy:
        print(json.dumps(create(iam, options.name, options.policy.read_text(encoding="utf-8"))))


def create(iam, name: str, policy: str) -> dict[str, str]:
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName=POLICY, PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}


def delete(iam, name: str) -> None:
    try:
        iam.get_user(UserName=name)
    except iam.exceptions.NoSuchEntityException:
        return
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
        iam.delete_user_policy(UserName=name, PolicyName=policy)
    iam.delete_user(UserName=name)


if __name__ == "__main__":
    main()
