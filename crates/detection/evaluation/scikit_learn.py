"""Scores the exported series with scikit-learn's IsolationForest, trained once and trained again as the series goes on.

usage: python scikit_learn.py DIR WARM_UP      (with the packages of requirements.txt)
"""

import pathlib
import sys

import numpy
from sklearn.ensemble import IsolationForest

MEMORY = 2048
AGAIN_EVERY = 256
SCORES = 512


def forest(points, seed):
    return IsolationForest(n_estimators=100, max_samples=256, random_state=seed).fit(points)


def once(points, warm_up, seed):
    """Its own threshold for alarms (contamination "auto") is 0.5; a limit by the training scores' tail does it more justice."""
    model = forest(points[:warm_up], seed)
    limit = numpy.quantile(-model.score_samples(points[:warm_up]), 0.999)
    scores = -model.score_samples(points[warm_up:])
    return scores, scores >= limit


def again(points, warm_up, seed):
    scores, alarms = [], []
    for begin in range(warm_up, len(points), AGAIN_EVERY):
        seen = points[max(0, begin - MEMORY) : begin]
        model = forest(seen, seed + begin)
        limit = numpy.quantile(-model.score_samples(seen[-SCORES:]), 0.999)
        part = -model.score_samples(points[begin : begin + AGAIN_EVERY])
        scores.append(part)
        alarms.append(part >= limit)
    return numpy.concatenate(scores), numpy.concatenate(alarms)


def main():
    folder, warm_up = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    for path in sorted(folder.glob("*.points.csv")):
        kind, seed, _, _ = path.name.split(".")
        points = numpy.loadtxt(path, delimiter=",", dtype=numpy.float32)
        for name, judge in (("scikit-learn-once", once), ("scikit-learn-again", again)):
            scores, alarms = judge(points, warm_up, int(seed))
            lines = (f"{score:.17g},{int(alarm)}\n" for score, alarm in zip(scores, alarms))
            (folder / f"{kind}.{seed}.{name}.csv").write_text("".join(lines))


if __name__ == "__main__":
    main()
