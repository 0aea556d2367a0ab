"""Serves S3, Glue, Athena, QuickSight, IAM and STS on this machine: ministack with additions and corrections.

    serve.py --port 4566 [--auth] [--plain-port 4567]

Prints `ready` once it serves requests, and exits when its standard input is closed, so that it never outlives its parent
process. An access key of 12 digits is the root user of the account with that number. With --auth, every other access key
must belong to an IAM user (see create_user.py) and is limited to its policies; without --auth, everything is allowed.

The changes to each service are in the other modules of this directory.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import os
import socket
import sys
import threading
import time

HOST = "127.0.0.1"
REGION = "eu-central-1"


def main() -> None:
    parser = argparse.ArgumentParser(description="Serves S3, Glue, Athena, QuickSight, IAM and STS for tests.")
    parser.add_argument("--port", type=int, required=True, help="port that serves as if behind a proxy that terminates TLS")
    parser.add_argument("--plain-port", type=int, help="port that serves the same as unencrypted HTTP")
    parser.add_argument("--auth", action="store_true", help="checks signatures and IAM policies")
    options = parser.parse_args()
    # Bound first, so that no other process can answer on these ports.
    listeners = [listener(port) for port in (options.port, options.plain_port) if port]
    threading.Thread(target=exit_with_stdin, daemon=True).start()
    threading.Thread(target=report_ready, args=(options.port,), daemon=True).start()
    sys.dont_write_bytecode = True  # keeps __pycache__ out of the sources
    # ministack would treat the caller's own access key as a root user's.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= settings(options)
    time.tzset()
    asyncio.run(serve(options, listeners))


def listener(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        sys.exit(f"{HOST}:{port}: {error.strerror}")


def settings(options: argparse.Namespace) -> dict[str, str]:
    """Returns the environment variables that ministack reads when it is imported."""
    return {
        "AUTH": str(options.auth).lower(),
        "GATEWAY_PORT": str(options.port),
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
        "MINISTACK_REGION": REGION,
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        "SERVICES": "s3,glue,athena,iam,sts",
        "SFTP_ENABLED": "0",
        "TZ": "UTC",
    }


async def serve(options: argparse.Namespace, listeners: list[socket.socket]) -> None:
    # These modules read the environment on import, so it must be set first.
    from hypercorn.asyncio import serve as run
    from hypercorn.config import Config
    from ministack.app import app

    import iam
    import athena
    import glue_overrides
    import quicksight
    import s3_overrides

    for module in (iam, athena, glue_overrides, quicksight, s3_overrides):
        module.install()

    async def set_forwarded_proto(scope: dict, receive, send) -> None:
        """Sets the header that marks a request as sent over TLS, for aws:SecureTransport. Clients cannot set it."""
        if scope["type"] == "http":
            secure = b"https" if scope["server"][1] == options.port else b"http"
            headers = [header for header in scope["headers"] if header[0] != b"x-forwarded-proto"]
            scope = {**scope, "headers": [*headers, (b"x-forwarded-proto", secure)]}
        await app(scope, receive, send)

    config = Config()
    config.bind = [f"fd://{bound.fileno()}" for bound in listeners]
    config.loglevel = "WARNING"
    await run(set_forwarded_proto, config)


def exit_with_stdin() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(0)


def report_ready(port: int) -> None:
    connection = http.client.HTTPConnection(HOST, port)
    connection.request("GET", "/_ministack/ready")
    connection.getresponse()
    print("ready", flush=True)


if __name__ == "__main__":
    main()
