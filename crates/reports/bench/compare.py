"""Runs each program on the same log, checks what it counted against the truth, and compares CPU, time and memory.

usage: compare.py FOLDER-OF-EXAMPLES LINES
Fails when a count is wrong, when Firebreak takes as much CPU as DuckDB on gzip, 50 MB of memory or more however long the
log is, or less than ten times as little CPU as GoAccess.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

HERE = Path(__file__).parent
MOST_MEMORY_MB = 50
GOACCESS_RATIO = 10
GOACCESS_LINES = 100_000
ROUNDS = 3
LONG = 10
CROWD_LINES = 200_000


@dataclass
class Run:
    wall: float
    cpu: float
    memory_mb: float
    output: bytes


def once(words):
    """One run of a program or a pipe, with the CPU of all its processes and the memory of the largest.

    `time` starts it: a child of this interpreter would be charged with the interpreter's own memory.
    """
    with tempfile.TemporaryFile() as out, tempfile.NamedTemporaryFile() as used:
        begin = time.monotonic()
        words = ["time", "--format=%M", f"--output={used.name}", *map(str, words)]
        process = subprocess.Popen(words, stdout=out, stderr=subprocess.PIPE)
        error = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{words[3]} failed: {error.decode(errors='replace')[-800:]}")
        out.seek(0)
        return Run(wall, usage.ru_utime + usage.ru_stime, int(used.read()) / 1000, out.read())


def best(words, rounds=ROUNDS):
    """The run with the least CPU: others on the machine only add to it."""
    return min((once(words) for _ in range(rounds)), key=lambda run: run.cpu)


def pipe(command):
    return ["bash", "-o", "pipefail", "-c", command]


def of_report(run):
    report = json.loads(run.output)
    counts = {}
    for api in report["apis"]:
        for kind, count in api["figures"]["elb"].items():
            if count:
                counts[f"{api['name']} {kind}"] = count
    return counts, report


def of_awk(run):
    counts = {}
    for line in run.output.decode().splitlines():
        count, group, kind = line.split()
        name = "(no target group)" if group == "-" else group.split("/")[1]
        counts[f"{name} {kind}"] = int(count)
    return counts


def of_goaccess(run):
    """GoAccess knows no target groups, and takes 561 for an unknown 4xx: what can be compared is how many it read."""
    return {"requests": json.loads(run.output)["general"]["valid_requests"]}


def crowded(path, lines):
    """What takes the most memory: a thousand target groups, two months, and hardly a path twice."""
    dice = random.Random(1)
    words = ["".join(dice.choices("abcdefghijklmnop", k=8)) for _ in range(4000)]
    begin = datetime(2026, 10, 1)
    with path.open("w") as out:
        for line in range(lines):
            at = begin + timedelta(days=58 * line / lines)
            group = f"arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/group-{dice.randrange(1000)}/{dice.randrange(2):016x}"
            status = dice.choice((200, 404, 500, 503))
            request = f"GET https://a:443/{'/'.join(dice.choices(words, k=8))} HTTP/2.0"
            times = f"0.001 {dice.randrange(100)}.{dice.randrange(1000):03d} 0.001"
            out.write(
                f'h2 {at:%Y-%m-%dT%H:%M:%S}.1Z app/x 192.0.2.1:1 - {times} {status} {status} 10 20 "{request}" "-" - - {group}'
                ' "-" "-" "-" 0 - "-" "-" "-" "-" "-" "-" "-"\n'
            )


def main():
    examples, lines = Path(sys.argv[1]), int(sys.argv[2])
    failures = []
    with tempfile.TemporaryDirectory(prefix="firebreak-bench-") as folder:
        folder = Path(folder)
        log, truth_file = folder / "alb.log", folder / "truth.json"
        print(f"making a log of {lines:,} lines (33 fields, seed 7)", flush=True)
        subprocess.run([examples / "alb_log", str(lines), log, truth_file], check=True)
        packed = folder / "alb.log.gz"
        with packed.open("wb") as out:
            subprocess.run(["gzip", "-6", "-c", log], stdout=out, check=True)
        truth = json.loads(truth_file.read_text())
        print(f"{log.stat().st_size / 1e6:,.0f} MB plain, {packed.stat().st_size / 1e6:,.0f} MB gzip; best of {ROUNDS} by CPU\n")
        ours, peer = str(examples / "alb_report"), [sys.executable, str(HERE / "peer.py")]
        awk = f"mawk -f {HERE / 'count.awk'}"
        rows = []

        def measure(name, words, counts_of, expected, rounds=ROUNDS):
            run = best(words, rounds)
            counts = counts_of(run)
            counts = counts[0] if isinstance(counts, tuple) else counts
            right = counts == expected
            if not right:
                failures.append(f"{name}: the counts differ from the truth")
            rows.append((name, run, right))
            return run

        classes = truth["elb_classes"]
        gz = measure("firebreak, gzip", [ours, str(packed)], of_report, classes)
        plain = measure("firebreak, plain", [ours, str(log)], of_report, classes)
        duck = measure("DuckDB, gzip", [*peer, str(packed)], lambda run: json.loads(run.output), classes)
        duck_plain = measure("DuckDB, plain", [*peer, str(log)], lambda run: json.loads(run.output), classes)
        mawk = measure("zcat | mawk", pipe(f"zcat {packed} | {awk}"), of_awk, classes)
        gunzip = best(pipe(f"zcat {packed} > /dev/null"))
        rows.append(("zcat alone", gunzip, True))
        check_latency(of_report(gz)[1], truth, failures)

        members = folder / "long.log.gz"
        with members.open("wb") as out:
            for _ in range(LONG):
                out.write(packed.read_bytes())
        long = measure(
            f"firebreak, gzip, {LONG} times as long",
            [ours, str(members)],
            of_report,
            {key: LONG * count for key, count in classes.items()},
            rounds=1,
        )

        crowd, of_crowd = folder / "crowd.log", min(lines, CROWD_LINES)
        crowded(crowd, of_crowd)
        odd = measure(
            f"firebreak, {of_crowd:,} crowded lines",
            [ours, str(crowd)],
            lambda run: {"requests": of_report(run)[1]["total"]["requests"]},
            {"requests": of_crowd},
            rounds=1,
        )

        part, part_truth = folder / "part.log", folder / "part.json"
        subprocess.run([examples / "alb_log", str(min(lines, GOACCESS_LINES)), part, part_truth], check=True)
        part_classes = json.loads(part_truth.read_text())["elb_classes"]
        name = f"{min(lines, GOACCESS_LINES):,} lines"
        short = measure(f"firebreak, {name}", [ours, str(part)], of_report, part_classes)
        goaccess = measure(
            f"GoAccess, {name}",
            ["goaccess", str(part), "--log-format=AWSALB", "--no-global-config", "-o", "json", "--no-progress"],
            of_goaccess,
            {"requests": sum(part_classes.values())},
            rounds=1,
        )

        print(f"{'':34} {'CPU s':>8} {'wall s':>8} {'MB':>8}  counts")
        for name, run, right in rows:
            print(f"{name:34} {run.cpu:8.2f} {run.wall:8.2f} {run.memory_mb:8.1f}  {'equal' if right else 'WRONG'}")
        print()
        for what, other, mine in [
            ("DuckDB on gzip", duck, gz),
            ("DuckDB on plain", duck_plain, plain),
            ("zcat | mawk", mawk, gz),
            ("zcat alone", gunzip, gz),
            ("GoAccess", goaccess, short),
        ]:
            print(f"{what:16} {other.cpu / max(mine.cpu, 0.001):6.1f} times the CPU, {other.memory_mb / mine.memory_mb:6.1f} times the memory")
        print(f"cores used on gzip: {gz.cpu / gz.wall:.2f} (a busy machine gives less)")
        if gz.cpu >= duck.cpu:
            failures.append("Firebreak takes as much CPU as DuckDB on gzip")
        for name, run in [("gzip", gz), ("plain", plain), ("the long log", long), ("the crowded log", odd)]:
            if run.memory_mb >= MOST_MEMORY_MB:
                failures.append(f"Firebreak takes {run.memory_mb:.0f} MB on {name}; {MOST_MEMORY_MB} is the bound")
        if goaccess.cpu < GOACCESS_RATIO * short.cpu:
            failures.append("Firebreak is less than ten times as fast as GoAccess")
    for failure in failures:
        print(f"FAILED: {failure}")
    sys.exit(1 if failures else 0)


def check_latency(report, truth, failures):
    """To one percent, or one millisecond."""
    for api in report["apis"]:
        exact = truth["latency_ms"].get(api["name"])
        if exact is None:
            continue
        found = [api["figures"]["latency"][name] for name in ("p50_ms", "p95_ms", "p99_ms")]
        if any(abs(one - two) > max(1, two / 100) for one, two in zip(found, exact)):
            failures.append(f"latency of {api['name']}: {found} for {exact}")


main()
