"""Makes and removes IAM users in a running emulator (see serve.py), as the account's root.

    users.py --endpoint http://127.0.0.1:4566 --account 123456789012 NAME POLICY_FILE
    users.py --endpoint http://127.0.0.1:4566 --account 123456789012 --delete NAME

Making prints the access key as JSON: {"access_key_id": …, "secret_access_key": …}. Who is there already gets the policy
in place of the old one, and a new key in place of the old ones.

What may live here: users and nothing else.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import boto3
from botocore.config import Config

POLICY = "test"


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes and removes IAM users in the emulator.")
    parser.add_argument("--endpoint", required=True, help="the emulator's URL")
    parser.add_argument("--account", default="123456789012", help="the account's number")
    parser.add_argument("--delete", action="store_true", help="removes the user")
    parser.add_argument("name")
    parser.add_argument("policy", nargs="?", type=Path, help="a file with a policy document")
    options = parser.parse_args()
    if options.delete == bool(options.policy):
        parser.error("expected either a policy or --delete")
    # The emulator takes a root's access key, the account's number, with any secret.
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
