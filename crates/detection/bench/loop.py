"""The same job as bench/rules.yaml in Python: json, windows in deques, and scikit-learn's IsolationForest for each service.

usage: python loop.py LOG EVENTS MODE      MODE: `event` scores each event as it comes, `batch` 256 at once
Prints events and seconds of the processor as JSON, counted once every service has its first forest. The forest is trained
again as often as ours is renewed.
"""

import collections
import datetime
import json
import os
import sys
import time

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import numpy  # noqa: E402
from sklearn.ensemble import IsolationForest  # noqa: E402

MEMORY, WARM_UP, AGAIN_EVERY, BATCH = 2048, 512, 2048, 256
FEATURES = ("latency_ms", "bytes", "cpu", "memory")


class Service:
    def __init__(self):
        self.memory = collections.deque(maxlen=MEMORY)
        self.waiting, self.model, self.since = [], None, 0
        self.window, self.errors = collections.deque(), 0
        self.unusual = collections.deque()

    def learn(self):
        self.model = IsolationForest(n_estimators=100, max_samples=256, random_state=1).fit(numpy.array(self.memory))
        scores = -self.model.score_samples(numpy.array(self.memory)[-512:])
        middle = numpy.median(scores)
        self.limit = middle + 6 * 1.4826 * numpy.median(numpy.abs(scores - middle))
        self.since = 0

    def score(self):
        if self.model is not None:
            scores = -self.model.score_samples(numpy.array([point for _, point in self.waiting]))
            for (at, _), score in zip(self.waiting, scores):
                if score >= self.limit:
                    self.unusual.append(at)
        self.memory.extend(point for _, point in self.waiting)
        self.since += len(self.waiting)
        self.waiting.clear()
        due = self.model is None and len(self.memory) >= WARM_UP or self.since >= AGAIN_EVERY
        if due:
            self.learn()


def main():
    path, events, mode = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    most, counted = BATCH, 0
    services = collections.defaultdict(Service)
    slow, cpu_high, last_login, alerts = collections.deque(), {}, None, 0
    with open(path) as log:
        lines = list(log)
    for line in lines:
        if counted or len(services) == 4 and all(service.model for service in services.values()):
            if counted == 0:
                begun, most = time.process_time(), 1 if mode == "event" else BATCH
            if counted == events:
                break
            counted += 1
        event = json.loads(line)
        at = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()
        if event["path"] == "/api/data" and event["latency_ms"] > 3000:
            slow.append(at)
            while slow and slow[0] <= at - 600:
                slow.popleft()
            alerts += len(slow) > 5
        service = services[event["service"]]
        is_error = event["status"] >= 500
        service.window.append((at, is_error))
        service.errors += is_error
        while service.window[0][0] <= at - 60:
            service.errors -= service.window.popleft()[1]
        alerts += len(service.window) >= 50 and service.errors / len(service.window) > 0.05
        if event["cpu"] > 90:
            alerts += at - cpu_high.setdefault(event["host"], at) >= 60
        else:
            cpu_high.pop(event["host"], None)
        if event["service"] == "login":
            last_login = at
        elif last_login is not None:
            alerts += at - last_login > 60
        service.waiting.append((at, [event[name] for name in FEATURES]))
        if len(service.waiting) >= most:
            service.score()
            while service.unusual and service.unusual[0] <= at - 10:
                service.unusual.popleft()
            alerts += len(service.unusual) > 5
    print(json.dumps({"events": counted, "seconds": round(time.process_time() - begun, 3), "alerts": alerts}))


if __name__ == "__main__":
    main()
