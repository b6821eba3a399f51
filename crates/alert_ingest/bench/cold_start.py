"""Measures alert_ingest beside its Python peer: both start in turn, on the same stubs, and do the same job."""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from stubs import Aws, RuntimeApi, Server

HERE = Path(__file__).resolve().parent
EVENT = HERE.parents[2] / "events" / "alert_ingest" / "sumologic_critical.json"
INSTANCE = "i-0123456789abcdef0"
PATIENCE_SECONDS = 60
MB = 1_000_000


class Contestant:
    def __init__(self, name, command, folder, zip_bytes):
        self.name = name
        self.command = command
        self.folder = folder
        self.zip_bytes = zip_bytes
        self.cold_ms = []
        self.warm_ms = []
        self.memory_mb = None
        self.calls = None


class Events:
    """The recorded event, each time from another instance, so that none is a duplicate of one before."""

    def __init__(self):
        self.text = EVENT.read_text()
        self.count = 0
        headers = json.loads(self.text)["headers"]
        self.token = headers["authorization"].removeprefix("Bearer ")

    def next(self):
        self.count += 1
        return self.text.replace(INSTANCE, f"i-{self.count:017x}").encode()


@contextlib.asynccontextmanager
async def spawned(contestant, aws_port, log):
    """One process of the function, with a Runtime API of its own; gives the start time and that API."""
    runtime = RuntimeApi()
    async with Server(runtime.answer) as server:
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{aws_port}",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.port}",
            "AWS_LAMBDA_FUNCTION_NAME": "alert_ingest",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/alert_ingest",
            "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "LAMBDA_TASK_ROOT": str(contestant.folder),
            "_HANDLER": "handler.lambda_handler",
            "RUST_LOG": "info",
            "SECRET_ID": "bench",
            "TABLE_NAME": "bench",
        }
        started = time.perf_counter()
        process = subprocess.Popen(
            contestant.command, cwd=contestant.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            yield started, runtime, process
        finally:
            process.kill()
            process.wait()


async def invoke(runtime, process, event):
    answered = asyncio.ensure_future(runtime.invoke(event))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (await asyncio.wait({answered}, timeout=0.5))[0]:
        if process.poll() is not None or time.monotonic() > deadline:
            answered.cancel()
            raise RuntimeError(f"no answer; exit code {process.poll()}")
    answer = answered.result()
    if answer.get("statusCode") != 202:
        raise RuntimeError(f"expected a 202, not {json.dumps(answer)[:2000]}")


async def measure_cold(contestant, aws_port, events, log):
    async with spawned(contestant, aws_port, log) as (started, runtime, process):
        await invoke(runtime, process, events.next())
        return (time.perf_counter() - started) * 1000


async def measure_warm(contestant, aws, aws_port, events, log, invocations):
    """Fills in warm latencies, the peak of resident memory after them, and the AWS calls of one invocation."""
    async with spawned(contestant, aws_port, log) as (_, runtime, process):
        await invoke(runtime, process, events.next())
        aws.calls.clear()
        for _ in range(invocations):
            event = events.next()
            started = time.perf_counter()
            await invoke(runtime, process, event)
            contestant.warm_ms.append((time.perf_counter() - started) * 1000)
        contestant.calls = {call: count / invocations for call, count in sorted(aws.calls.items())}
        contestant.memory_mb = peak_memory_bytes(process.pid) / MB
    if aws.calls["TransactWriteItems"] < invocations:
        raise RuntimeError(f"{contestant.name} answered 202 without writing: {contestant.calls}")


def peak_memory_bytes(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmHWM in /proc")


def rust(binary, scratch):
    """`binary` is a bootstrap, or the zip that is deployed."""
    folder = scratch / "rust"
    folder.mkdir()
    if zipfile.is_zipfile(binary):
        zip_bytes = binary.stat().st_size
        with zipfile.ZipFile(binary) as archive:
            archive.extract("bootstrap", folder)
    else:
        shutil.copy(binary, folder / "bootstrap")
        zip_bytes = zipped(scratch / "rust.zip", [(folder / "bootstrap", "bootstrap")])
    (folder / "bootstrap").chmod(0o755)
    return Contestant("alert_ingest (Rust)", [str(folder / "bootstrap")], folder, zip_bytes)


def python(scratch):
    """The handler as it is deployed: with the boto3 that it is pinned to. The runtime client is part of Lambda's runtime."""
    folder = scratch / "python"
    folder.mkdir()
    shutil.copy(HERE / "handler.py", folder)
    packages = Path(next(path for path in sys.path if path.endswith("site-packages")))
    bundled = ["boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3"]
    files = [(folder / "handler.py", "handler.py")]
    for name in bundled:
        top = packages / name
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                files.append((path, str(path.relative_to(packages))))
    command = [sys.executable, "-m", "awslambdaric", "handler.lambda_handler"]
    return Contestant("Python 3.11 + boto3", command, folder, zipped(scratch / "python.zip", files))


def zipped(target, files):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path, name in files:
            archive.write(path, name)
    return target.stat().st_size


async def run(arguments, scratch, log):
    events = Events()
    aws = Aws({"sources": {"sumologic": [events.token]}, "channels": {}})
    contestants = [rust(arguments.binary, scratch), python(scratch)]
    async with Server(aws.answer) as server:
        for contestant in contestants:
            await measure_cold(contestant, server.port, events, log)
        for _ in range(arguments.spawns):
            for contestant in contestants:
                contestant.cold_ms.append(await measure_cold(contestant, server.port, events, log))
        for contestant in contestants:
            await measure_warm(contestant, aws, server.port, events, log, arguments.warm)
    return contestants


def timing_row(name, rust_ms, python_ms):
    def spread(values):
        return f"{statistics.median(values):.2f} ({min(values):.2f}..{max(values):.2f})"

    return name, spread(rust_ms), spread(python_ms), statistics.median(python_ms) / statistics.median(rust_ms)


def report(contestants, arguments):
    """Prints the table; gives the limits that are broken."""
    rust, python = contestants
    rows = [
        timing_row("cold start, ms", rust.cold_ms, python.cold_ms),
        timing_row("warm invocation, ms", rust.warm_ms, python.warm_ms),
        ("peak memory, MB", f"{rust.memory_mb:.1f}", f"{python.memory_mb:.1f}", python.memory_mb / rust.memory_mb),
        ("zip, MB", f"{rust.zip_bytes / MB:.2f}", f"{python.zip_bytes / MB:.2f}", python.zip_bytes / rust.zip_bytes),
    ]
    print(f"\n{'':22}{rust.name:28}{python.name:30}{'ratio':>6}")
    for name, left, right, ratio in rows:
        print(f"{name:22}{left:28}{right:30}{ratio:5.1f}x")
    print(f"\nMedian (min..max) of {arguments.spawns} starts each in turn, and of {arguments.warm} warm invocations.")
    print("Cold start: from the spawn of the process to its first answer, here; AWS adds its own part to both.")
    print("Python's modules are compiled beforehand, which a zip does not bring by itself: it is measured at its best.")
    for contestant in contestants:
        calls = ", ".join(f"{count:g} {call}" for call, count in contestant.calls.items())
        print(f"AWS calls of one warm invocation, {contestant.name}: {calls}")

    limits = [
        ("cold start ratio", rows[0][3], ">=", arguments.min_ratio),
        ("zip, MB", rust.zip_bytes / MB, "<=", arguments.max_zip_mb),
        ("peak memory, MB", rust.memory_mb, "<=", arguments.max_memory_mb),
    ]
    print()
    broken = 0
    for name, value, relation, limit in limits:
        kept = value >= limit if relation == ">=" else value <= limit
        broken += not kept
        print(f"{'ok    ' if kept else 'BROKEN'}  {name} {value:.2f} {relation} {limit:g}")
    return broken


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary", type=Path, help="the bootstrap of alert_ingest, or the zip that holds it")
    parser.add_argument("--spawns", type=int, default=15)
    parser.add_argument("--warm", type=int, default=300)
    parser.add_argument("--min-ratio", type=float, default=20)
    parser.add_argument("--max-zip-mb", type=float, default=4)
    parser.add_argument("--max-memory-mb", type=float, default=16)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, open(Path(scratch) / "log", "w+b") as log:
        try:
            contestants = asyncio.run(run(arguments, Path(scratch), log))
        except RuntimeError as error:
            log.seek(0)
            print(f"{error}\nThe end of what the functions logged:", file=sys.stderr)
            print(log.read().decode(errors="replace")[-3000:], file=sys.stderr)
            return 2
        return 1 if report(contestants, arguments) else 0


if __name__ == "__main__":
    sys.exit(main())
