"""The benchmark's peer: intake written the usual way for Python's own HTTP server and SQLite, one commit a request."""

import datetime
import hashlib
import hmac
import http.server
import json
import os
import sqlite3
import sys
import threading

TOKEN = os.environ["FIREBREAK_WEBHOOK_TOKEN"]
LOCK = threading.Lock()
DATABASE = sqlite3.connect(sys.argv[1], check_same_thread=False, isolation_level=None)
DATABASE.executescript(
    """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE alerts (fingerprint TEXT PRIMARY KEY, content TEXT, incident TEXT, repeats INTEGER, body TEXT);
    CREATE TABLE events (position INTEGER PRIMARY KEY, incident TEXT, at TEXT, name TEXT, body TEXT);
    CREATE TABLE incidents (id TEXT PRIMARY KEY, alerts INTEGER, opened_at TEXT);
    """
)


def digest(*parts):
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def normalise(alert):
    labels = {key: str(value) for key, value in alert["labels"].items()}
    starts = datetime.datetime.fromisoformat(alert["startsAt"].replace("Z", "+00:00"))
    return {
        "source": "alertmanager",
        "fingerprint": "fp1_" + digest("alertmanager", alert.get("fingerprint") or labels),
        "content": digest(alert["status"], labels, alert["annotations"], alert["startsAt"]),
        "group": digest("alertmanager", labels.get("service", "unknown"), labels.get("alertname", "")),
        "status": alert["status"],
        "severity": labels.get("severity", "warning"),
        "title": alert["annotations"].get("summary") or labels.get("alertname", ""),
        "labels": labels,
        "annotations": alert["annotations"],
        "starts_at": starts.isoformat(),
        "links": [alert.get("generatorURL")],
    }


def record(alert, now):
    found = DATABASE.execute("SELECT content, incident FROM alerts WHERE fingerprint = ?", (alert["fingerprint"],)).fetchone()
    if found and found[0] == alert["content"]:
        DATABASE.execute("UPDATE alerts SET repeats = repeats + 1 WHERE fingerprint = ?", (alert["fingerprint"],))
        return found[1], "duplicate"
    incident = found[1] if found else "inc_" + alert["group"]
    body = json.dumps(alert)
    DATABASE.execute(
        "INSERT INTO incidents VALUES (?, 1, ?) ON CONFLICT (id) DO UPDATE SET alerts = alerts + 1", (incident, now)
    )
    DATABASE.execute(
        "INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, 0, ?)", (alert["fingerprint"], alert["content"], incident, body)
    )
    DATABASE.execute(
        "INSERT INTO events (incident, at, name, body) VALUES (?, ?, 'alert.fired', ?)", (incident, now, body)
    )
    return incident, "updated" if found else "opened"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave together, or each answer would wait for an acknowledgement.
    wbufsize = 64 * 1024

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        scheme, _, given = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given, TOKEN):
            return self.answer(401, {"error": {"code": "unauthorized"}})
        alerts = [normalise(alert) for alert in json.loads(body)["alerts"]]
        now = datetime.datetime.now(datetime.UTC).isoformat()
        accepted = []
        with LOCK:
            DATABASE.execute("BEGIN IMMEDIATE")
            for alert in alerts:
                incident, outcome = record(alert, now)
                accepted.append({"fingerprint": alert["fingerprint"], "incident_id": incident, "outcome": outcome})
            DATABASE.execute("COMMIT")
        return self.answer(202, {"accepted": accepted, "quarantined": []})

    def answer(self, status, answer):
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    # All connections of the load generator come at once.
    request_queue_size = 128


server = Server(("127.0.0.1", 0), Handler)
print(f"listening on http://127.0.0.1:{server.server_address[1]}", flush=True)
server.serve_forever()
