"""What Prometheus scrapes: a shop whose pods are broken and mended one by one."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Shop:
    """`shop_fault` for each pod that was ever touched: 1 while it is broken."""

    def __init__(self) -> None:
        self._faults: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()
        shop = self

        class Handler(BaseHTTPRequestHandler):
            """Serves the metrics."""

            def do_GET(self) -> None:
                body = shop.metrics().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def breaks(self, service: str, *pods: str) -> None:
        """These pods are broken from now on."""
        self._set(service, pods, 1)

    def mends(self, service: str, *pods: str) -> None:
        """These pods are well again."""
        self._set(service, pods, 0)

    def _set(self, service: str, pods: tuple[str, ...], value: int) -> None:
        with self._lock:
            for pod in pods:
                self._faults[service, pod] = value

    def metrics(self) -> str:
        """The text that Prometheus reads."""
        with self._lock:
            lines = [
                f'shop_fault{{service="{service}",pod="{pod}"}} {value}'
                for (service, pod), value in self._faults.items()
            ]
        return "\n".join(["# HELP shop_fault Whether a pod is broken.", "# TYPE shop_fault gauge", *lines, ""])

    def close(self) -> None:
        """Stops serving."""
        self._server.shutdown()
