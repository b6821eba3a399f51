"""A recording proxy in front of the emulator's EC2: it counts reboots and can break them on request."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PASS = "pass"  # forward, answer
RESET = "reset"  # close the connection before anything is forwarded
KILL = "kill"  # kill the calling function's process before anything is forwarded
DROP_REPLY = "drop_reply"  # forward, then close without an answer
HANG = "hang"  # forward nothing and stay silent until the caller gives up


@dataclass(frozen=True)
class Call:
    """One EC2 request that reached the proxy."""

    action: str
    instances: tuple[str, ...]
    forwarded: bool
    fault: str
    at: float


@dataclass
class Recorder:
    """What was called, and what to do with the next reboot of an instance."""

    upstream: str
    calls: list[Call] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    killed: list[int] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def break_next_reboot(self, instance: str, fault: str) -> None:
        """The first reboot of `instance` from now on meets `fault`; later ones pass."""
        with self._lock:
            self.faults[instance] = fault

    def take_fault(self, action: str, instances: tuple[str, ...]) -> str:
        """The fault that this request meets, used up by asking."""
        if action != "RebootInstances":
            return PASS
        with self._lock:
            for instance in instances:
                if instance in self.faults:
                    return self.faults.pop(instance)
        return PASS

    def record(self, call: Call) -> None:
        """Adds one call."""
        with self._lock:
            self.calls.append(call)

    def reboots(self, instance: str) -> list[Call]:
        """All reboot requests for `instance`, forwarded or not."""
        with self._lock:
            return [call for call in self.calls if call.action == "RebootInstances" and instance in call.instances]

    def forwarded_reboots(self, instance: str) -> int:
        """How often the emulator's EC2 was really told to reboot `instance`."""
        return sum(1 for call in self.reboots(instance) if call.forwarded)


def start(upstream: str, port: int = 0) -> tuple[ThreadingHTTPServer, Recorder]:
    """Serves the proxy on loopback in a thread; `server.shutdown()` ends it."""
    recorder = Recorder(upstream.rstrip("/"))
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(recorder))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, recorder


def _handler(recorder: Recorder) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Forwards one request, unless a fault says otherwise."""

        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Silent: the checks print what matters."""

        def do_POST(self) -> None:
            """EC2's query protocol is POST."""
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._relay(body, urllib.parse.parse_qs(body.decode(errors="replace")))

        def do_GET(self) -> None:
            """The same protocol with the form in the URL."""
            self._relay(b"", urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query))

        def _relay(self, body: bytes, form: dict[str, list[str]]) -> None:
            action = form.get("Action", ["?"])[0]
            instances = tuple(value[0] for name, value in sorted(form.items()) if name.startswith("InstanceId"))
            fault = recorder.take_fault(action, instances)
            forwarded = fault in (PASS, DROP_REPLY)
            recorder.record(Call(action, instances, forwarded, fault, time.time()))
            if fault == KILL:
                pid = _owner_of(self.client_address)
                if pid is not None:
                    os.kill(pid, 9)
                    recorder.killed.append(pid)
            if fault == HANG:
                self._wait_for_the_caller_to_leave()
            if not forwarded:
                self._reset()
                return
            status, headers, answer = self._forward(body)
            if fault == DROP_REPLY:
                self._reset()
                return
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in ("connection", "transfer-encoding", "content-length", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            target = urllib.parse.urlsplit(recorder.upstream)
            upstream = HTTPConnection(target.hostname or "", target.port, timeout=30)
            try:
                # The Host header is part of the signature, so it is passed on as it came.
                upstream.request(self.command, self.path, body=body, headers=dict(self.headers.items()))
                reply = upstream.getresponse()
                return reply.status, reply.getheaders(), reply.read()
            finally:
                upstream.close()

        def _wait_for_the_caller_to_leave(self) -> None:
            self.connection.settimeout(120)
            try:
                self.connection.recv(1)
            except OSError:
                pass

        def _reset(self) -> None:
            self.close_connection = True
            # Linger zero: the caller sees a reset, not a tidy end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    return Handler


def _owner_of(address: tuple[str, int]) -> int | None:
    """The process on this machine that owns the client end of a loopback connection."""
    host, port = address
    local = f"{struct.unpack('<I', socket.inet_aton(host))[0]:08X}:{port:04X}"
    inode = next(
        (
            fields[9]
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
            if (fields := line.split())[1] == local
        ),
        None,
    )
    if inode is None:
        return None
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            if any(os.readlink(handle) == f"socket:[{inode}]" for handle in (process / "fd").iterdir()):
                return int(process.name)
        except OSError:
            continue
    return None
