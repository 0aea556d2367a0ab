"""Compare the throughput of `generate` with tpchgen-cli, another fast generator, and with the disk's write rate.

Usage: throughput.py [--rounds N] [--tickets N] [--scale N] [--dir DIR]

Builds `generate` and installs tpchgen-cli below target/. Runs are interleaved, so that other load on the machine affects all
commands, and the median of each command's rates is printed as Markdown. To null: standard output is /dev/null, and the rate
counts the bytes of the text, which `generate` also counts and checksums. To files: `generate` and dd both sync their output
(syncfs of the file system; fdatasync of the file) and write the same number of bytes to the same directory, which is deleted,
and the disk synced, before the next run.
"""

import argparse
import os
import platform
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", REPO / "target"))
TPCHGEN_VERSION = "4.0.0"
TPCHGEN = TARGET / "tpchgen" / "bin" / "tpchgen-cli"
GENERATE = TARGET / "release" / "generate"


def install():
    subprocess.run(["cargo", "build", "--quiet", "--locked", "--release", "--package", "generate"], cwd=REPO, check=True)
    if not TPCHGEN.exists():
        version = ["--version", TPCHGEN_VERSION]
        # cargo install ignores the package's build profile; these settings are the fastest.
        settings = {"CARGO_PROFILE_RELEASE_LTO": "fat", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "1"}
        subprocess.run(["cargo", "install", "--quiet", "--locked", "--root", TARGET / "tpchgen", *version, "tpchgen-cli"],
                       check=True, env=os.environ | settings)


def seconds(command):
    started = time.perf_counter()
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def n_bytes(command):
    """Return the number of bytes that a command writes to standard output."""
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        total = 0
        while chunk := process.stdout.read(1 << 20):
            total += len(chunk)
    if process.returncode != 0 or total == 0:
        raise SystemExit(f"{command}: exit code {process.returncode} after {total} bytes")
    return total


def generate(tickets, threads, output):
    return [GENERATE, "--quiet", "--as-of", "2026-11-22", "--count", tickets, "--threads", threads, "--batch-size", 1_000_000,
            "--output", output]


def tpchgen(scale, threads):
    return [TPCHGEN, "--scale-factor", scale, "--tables", "lineitem", "--num-threads", threads, "--stdout", "--quiet"]


def to_files(command, scratch):
    """Return the seconds that a command takes to fill `scratch`, starting with a synced disk."""
    os.sync()
    taken = seconds(command)
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    return taken


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tickets", type=int, default=10_000_000)
    parser.add_argument("--scale", type=int, default=3, help="TPC-H scale factor: GB in all tables, about 0.75 of them in lineitem")
    parser.add_argument("--dir", type=Path, default=TARGET, help="directory for the output files")
    options = parser.parse_args()
    install()

    ticket_bytes = n_bytes(generate(options.tickets, 2, "-"))
    lineitem_bytes = n_bytes(tpchgen(options.scale, 2))
    scratch = Path(tempfile.mkdtemp(prefix="throughput-", dir=options.dir))
    dd = ["dd", "if=/dev/zero", f"of={scratch / 'zeros'}", "bs=8M", "iflag=count_bytes", f"count={ticket_bytes}",
          "conv=fdatasync"]
    runs = {}
    for threads in (1, 2):
        command = generate(options.tickets, threads, "-")
        runs[f"generate to null, threads: {threads}"] = (ticket_bytes, lambda command=command: seconds(command))
        command = tpchgen(options.scale, threads)
        runs[f"tpchgen-cli lineitem to null, threads: {threads}"] = (lineitem_bytes, lambda command=command: seconds(command))
    for threads in (1, 2):
        command = generate(options.tickets, threads, scratch / "raw")
        runs[f"generate to files, threads: {threads}"] = (ticket_bytes, lambda command=command: to_files(command, scratch))
    runs["dd bs=8M to a file"] = (ticket_bytes, lambda: to_files(dd, scratch))

    rates = {name: [] for name in runs}
    try:
        for _ in range(options.rounds):
            for name, (size, run) in runs.items():
                rates[name].append(size / run() / 1e6)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    report(rates, options, ticket_bytes, lineitem_bytes)


def report(rates, options, ticket_bytes, lineitem_bytes):
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    version = subprocess.run([GENERATE, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    print(f"{model.group(1) if model else platform.processor()}, {os.cpu_count()} cores; {version}; tpchgen-cli {TPCHGEN_VERSION}.")
    print(f"{options.tickets:,} tickets of {ticket_bytes / options.tickets:.0f} bytes; lineitem: {lineitem_bytes / 1e9:.2f} GB.")
    print(f"Medians of {options.rounds} rounds; one minute's load before the last: {os.getloadavg()[0]:.1f}.\n")
    print("| | median MB/s | from-to |\n|---|--:|--:|")
    for name, measured in rates.items():
        print(f"| {name} | {statistics.median(measured):,.0f} | {min(measured):,.0f}-{max(measured):,.0f} |")


if __name__ == "__main__":
    main()
