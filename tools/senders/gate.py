"""The network between one Alertmanager and Firebreak: passes deliveries on or fails them, and keeps what it saw."""

from __future__ import annotations

import enum
import http.client
import json
import socket
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Mode(enum.Enum):
    """What happens to a delivery."""

    OPEN = "passed on"
    REFUSE = "answered 503, as a load balancer does that has nobody to ask"
    HOLD = "kept on its way until the mode changes, then passed on"


@dataclass(frozen=True)
class Passage:
    """One delivery. Without a status the connection was cut, because Firebreak did not answer."""

    at: float
    status: int | None
    awaited: bool
    body: dict[str, Any]
    answer: dict[str, Any]

    def tells_of(self, service: str) -> bool:
        """Whether an alert of this service is in it."""
        return any(alert["labels"].get("service") == service for alert in self.body["alerts"])

    def outcomes(self, service: str) -> list[str]:
        """What Firebreak said became of the alerts of this service."""
        accepted = self.answer.get("accepted", [])
        return [item["outcome"] for item in accepted if self._service(item["index"]) == service]

    def _service(self, index: int) -> str | None:
        return self.body["alerts"][index]["labels"].get("service")


class Gate:
    """A server on loopback before one address."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._mode = Mode.OPEN
        self._change = threading.Condition()
        self._passages: list[Passage] = []
        gate = self

        class Handler(BaseHTTPRequestHandler):
            """Takes one delivery."""

            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                gate._take(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where an Alertmanager sends to instead of to Firebreak."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def turn(self, mode: Mode) -> None:
        """From now on; what is held is passed on."""
        with self._change:
            self._mode = mode
            self._change.notify_all()

    def seen(self, service: str | None = None, since: float = 0.0) -> list[Passage]:
        """The deliveries so far, all or those that tell of a service."""
        with self._change:
            passages = list(self._passages)
        return [item for item in passages if item.at >= since and (service is None or item.tells_of(service))]

    def close(self) -> None:
        """Stops taking deliveries."""
        self.turn(Mode.OPEN)
        self._server.shutdown()

    def _take(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        with self._change:
            mode = self._mode
            while self._mode is Mode.HOLD:
                self._change.wait()
        status, reply = (503, b"") if mode is Mode.REFUSE else self._pass_on(request, body)
        answer = json.loads(reply) if reply else {}
        awaited = _is_open(request.connection)
        with self._change:
            self._passages.append(Passage(time.time(), status, awaited, json.loads(body), answer))
        try:
            if status is None:
                request.close_connection = True
                return
            request.send_response(status)
            request.send_header("Content-Type", "application/json")
            request.send_header("Content-Length", str(len(reply)))
            request.end_headers()
            request.wfile.write(reply)
        except OSError:
            request.close_connection = True

    def _pass_on(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int | None, bytes]:
        connection = http.client.HTTPConnection(self._upstream, timeout=60)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "connection")}
        try:
            connection.request("POST", request.path, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return None, b""
        finally:
            connection.close()


def _is_open(connection: socket.socket) -> bool:
    """Whether the other side still waits for an answer; it closes the connection when it has waited too long."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
