"""Writes scikit_learn_trees.json: trees of scikit-learn's IsolationForest, points, and its scores for them.

usage: python fixture.py > scikit_learn_trees.json      (with the packages of requirements.txt)
"""

import json

import numpy
from sklearn.ensemble import IsolationForest

SAMPLE = 64


def tree(estimator):
    t = estimator.tree_
    return {
        "left": t.children_left.tolist(),
        "right": t.children_right.tolist(),
        "feature": t.feature.tolist(),
        "threshold": t.threshold.tolist(),
        "samples": t.n_node_samples.tolist(),
    }


def main():
    random = numpy.random.default_rng(20)
    usual = random.normal([0, 100, 5], [1, 15, 0.1], (500, 3))
    usual[:, 2] = numpy.round(usual[:, 2], 1)
    usual = usual.astype(numpy.float32)
    forest = IsolationForest(n_estimators=25, max_samples=SAMPLE, random_state=3).fit(usual)
    apart = random.uniform([-8, 0, 3], [8, 300, 7], (60, 3)).astype(numpy.float32)
    points = numpy.vstack([usual[:60], apart])
    print(
        json.dumps(
            {
                "sample": SAMPLE,
                "features": 3,
                "trees": [tree(one) for one in forest.estimators_],
                "points": points.tolist(),
                "scores": (-forest.score_samples(points)).tolist(),
            }
        )
    )


if __name__ == "__main__":
    main()
