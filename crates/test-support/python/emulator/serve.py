"""Serves S3, Glue, Athena, QuickSight, IAM and STS on this machine: ministack, with what it lacks of them.

    serve.py --port 4566 [--auth] [--plain-port 4567]

Prints `ready` once it answers, and ends when its standard input does, so that it never outlives who started it. An
access key of 12 digits is the root of the account of that number. With --auth, everyone else must be an IAM user (see
users.py), and is allowed what their policies allow; without, everything is allowed to everyone.

What may live here: the command line, the environment, starting and ending. Each service's changes are in the modules
beside this.
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
    parser.add_argument("--port", type=int, required=True, help="where to answer, as if behind a proxy that ended TLS")
    parser.add_argument("--plain-port", type=int, help="where the same is answered as having come without TLS")
    parser.add_argument("--auth", action="store_true", help="checks signatures and IAM policies")
    options = parser.parse_args()
    # Taken before anything else, so that it is surely this process that answers there.
    listeners = [listener(port) for port in (options.port, options.plain_port) if port]
    threading.Thread(target=end_with_stdin, daemon=True).start()
    threading.Thread(target=report_ready, args=(options.port,), daemon=True).start()
    sys.dont_write_bytecode = True  # leaves the sources alone
    # ministack would take the caller's own key for a root's.
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
    """What ministack reads from the environment, when it is imported."""
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
    # They read the environment, so they come after it.
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

    async def tell_transport(scope: dict, receive, send) -> None:
        """A policy that demands TLS judges by this header, which no client can set."""
        if scope["type"] == "http":
            secure = b"https" if scope["server"][1] == options.port else b"http"
            headers = [header for header in scope["headers"] if header[0] != b"x-forwarded-proto"]
            scope = {**scope, "headers": [*headers, (b"x-forwarded-proto", secure)]}
        await app(scope, receive, send)

    config = Config()
    config.bind = [f"fd://{taken.fileno()}" for taken in listeners]
    config.loglevel = "WARNING"
    await run(tell_transport, config)


def end_with_stdin() -> None:
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
