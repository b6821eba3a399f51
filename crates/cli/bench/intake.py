"""Alerts accepted a second, in pairs: each server fresh for each case, in turn, with the same load generator."""

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

TOKEN = "a-token-for-the-benchmark"
ALERTMANAGER_CONFIG = """
route: {receiver: nobody, group_by: [alertname, namespace, deployment], group_wait: 30s, group_interval: 5m}
receivers: [{name: nobody}]
"""


class Server:
    """One process, started fresh and stopped again."""

    name = path = form = None

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.log = open(Path(self.folder.name) / "log", "w+b")
        self.process = self.start(Path(self.folder.name))
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()
        self.folder.cleanup()

    def spawn(self, command, **more):
        environment = {**os.environ, "FIREBREAK_WEBHOOK_TOKEN": TOKEN, "FIREBREAK_API_TOKEN": TOKEN, "RUST_LOG": "error"}
        return subprocess.Popen(command, stderr=self.log, env=environment, **more)

    def listening(self, process):
        line = process.stdout.readline().decode()
        found = re.search(r"http://(\S+)", line)
        if not found:
            raise RuntimeError(f"{self.name} did not start: {line!r}")
        return found[1]

    def status(self, field):
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+)", text, re.M)[1])

    def cpu(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def metric(self, name):
        text = urllib.request.urlopen(f"http://{self.address}/metrics", timeout=10).read().decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:\{{[^}}]*\}})? ([0-9.e+]+)$", text, re.M))


class Firebreak(Server):
    name, path, form = "firebreak", "/webhooks/alertmanager", "webhook"

    def __init__(self, binary):
        self.binary = binary

    def start(self, folder):
        (folder / "runbooks").mkdir()
        command = [self.binary, "serve", "--listen", "127.0.0.1:0", "--data", folder / "data", "--runbooks", folder / "runbooks"]
        process = self.spawn(command, stdout=subprocess.PIPE)
        self.address = self.listening(process)
        return process


class Alertmanager(Server):
    name, path, form = "alertmanager", "/api/v2/alerts", "alerts"

    def __init__(self, binary):
        self.binary = binary

    def start(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        (folder / "config.yml").write_text(ALERTMANAGER_CONFIG)
        command = [
            self.binary,
            f"--config.file={folder / 'config.yml'}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address={self.address}",
            "--cluster.listen-address=",
            "--log.level=error",
        ]
        process = self.spawn(command, stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=1)
                return process
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("alertmanager did not start")


class Python(Server):
    name, path, form = "python", "/webhooks/alertmanager", "webhook"

    def start(self, folder):
        command = [sys.executable, Path(__file__).with_name("handler.py"), folder / "alerts.sqlite"]
        process = self.spawn(command, stdout=subprocess.PIPE)
        self.address = self.listening(process)
        return process


def load(generator, server, batch, distinct, total, connections):
    command = [generator, server.address, server.path, "--form", server.form, "--token", TOKEN]
    numbers = {"batch": batch, "distinct": distinct, "total": total, "connections": connections}
    command += [word for name, value in numbers.items() for word in (f"--{name}", str(value))]
    before = server.cpu()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the load on {server.name} broke off: {done.stderr.strip()}")
    result = json.loads(done.stdout)
    result["cpu_us"] = (server.cpu() - before) * 1e6 / total
    result["memory_mb"] = server.status("VmHWM") / 1024
    if result["refused"]:
        raise RuntimeError(f"{server.name} refused {result['refused']} requests")
    return result


def median(results, key):
    return statistics.median(result[key] for result in results)


def compare(contestants, arguments):
    """Prints the table; gives the ratios to Alertmanager in batches of 100 distinct alerts."""
    print(f"{'alerts':>18} {'a request':>9}  {'server':13}{'alerts/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'CPU us':>8}{'MB':>7}   ratio of alerts/s")
    reached = None
    for distinct, kind in ((arguments.alerts, "distinct"), (1, "identical")):
        for batch in (1, 10, 100):
            results = {contestant.name: [] for contestant in contestants}
            for _ in range(arguments.rounds):
                for contestant in contestants:
                    with contestant as server:
                        results[server.name].append(
                            load(arguments.load, server, batch, distinct, arguments.alerts, arguments.connections)
                        )
            ours = results["firebreak"]
            for name, of in results.items():
                ratios = [own["alerts_s"] / other["alerts_s"] for own, other in zip(ours, of)]
                ratio = "" if name == "firebreak" else f"{statistics.median(ratios):6.2f} times {name}"
                print(
                    f"{arguments.alerts:>8} {kind:>9} {batch:>9}  {name:13}{median(of, 'alerts_s'):10.0f}{median(of, 'p50_ms'):9.2f}"
                    f"{median(of, 'p99_ms'):9.2f}{median(of, 'cpu_us'):8.1f}{median(of, 'memory_mb'):7.0f}   {ratio}",
                    flush=True,
                )
                if name == "alertmanager" and kind == "distinct" and batch == 100:
                    reached = statistics.median(ratios)
    return reached


def storm(firebreak, arguments):
    """A million times the same alert; gives how many writes that took."""
    with firebreak as server:
        result = load(arguments.load, server, 100, 1, arguments.storm, arguments.connections)
        appends, counts = (server.metric(f"firebreak_intake_{name}_total") for name in ("appends", "counts"))
        coalesced = server.metric("firebreak_intake_coalesced_total")
        duplicates = server.metric("firebreak_alerts_total")
    print(
        f"\nstorm of {arguments.storm} repeats: {result['alerts_s']:.0f} alerts/s, {appends:.0f} appends and {counts:.0f} counts written, "
        f"{coalesced:.0f} repeats counted in memory, {duplicates:.0f} alerts answered, {result['memory_mb']:.0f} MB"
    )
    if duplicates != arguments.storm:
        raise RuntimeError("not every alert was answered")
    return appends + counts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("firebreak", type=Path)
    parser.add_argument("load", type=Path)
    parser.add_argument("--alerts", type=int, default=20_000)
    parser.add_argument("--storm", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--min-ratio", type=float, default=1.0, help="to Alertmanager, batches of 100 distinct alerts")
    parser.add_argument("--max-writes", type=int, default=1000, help="of the storm")
    arguments = parser.parse_args()
    firebreak = Firebreak(arguments.firebreak)
    contestants = [firebreak, Python()]
    alertmanager = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if alertmanager:
        contestants.insert(1, Alertmanager(alertmanager))
    else:
        print("SKIPPED: Alertmanager is not here (Debian: apt-get install prometheus-alertmanager)\n")
    ratio = compare(contestants, arguments)
    writes = storm(firebreak, arguments)
    print(f"\nMedians of {arguments.rounds} rounds, every server fresh and in turn, {arguments.connections} connections. firebreak and python answer")
    print("after the commit to disk, Alertmanager keeps alerts in memory. CPU: of the server, for one alert. MB: the most it ever had.\n")
    limits = [("writes of the storm", writes, "<=", arguments.max_writes)]
    if ratio is not None:
        limits.append(("times Alertmanager, 100 distinct a request", ratio, ">=", arguments.min_ratio))
    broken = 0
    for name, value, relation, limit in limits:
        kept = value >= limit if relation == ">=" else value <= limit
        broken += not kept
        print(f"{'ok    ' if kept else 'BROKEN'}  {name} {value:.2f} {relation} {limit:g}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
