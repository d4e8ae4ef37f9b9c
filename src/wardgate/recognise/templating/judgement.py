"""Boosted trees over the evidence: how likely a segment is a value, and which evidence moved it how far.

Small trees, all walked at once in columns. Every step from a node to its child changes the tree's mean
answer; the change is put down to the measure that the step asked, so each answer is the sum of its reasons.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]
_ROWS = 128


@dataclass(frozen=True, slots=True)
class Trees:
    """Trees as flat arrays; `roots` are their first nodes. A leaf is its own left and right child."""

    start: float
    roots: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    mean: npt.NDArray[np.float32]
    """Log-odds that a node adds: a leaf's answer, an inner node's mean of them."""
    depth: int

    def likely(self, rows: Matrix) -> Scores:
        """Probability of each row. A few rows at a time, so that what is looked up stays in the cache."""
        total = np.full(len(rows), self.start)
        sides = np.stack((self.right, self.left), axis=1).ravel()
        for low in range(0, len(rows), _ROWS):
            part = np.ascontiguousarray(rows[low : low + _ROWS])
            first = (np.arange(len(part), dtype=np.int32) * part.shape[1])[:, None]
            at = np.broadcast_to(self.roots, (len(part), len(self.roots)))
            for _ in range(self.depth):
                goes_left = part.ravel().take(self.feature.take(at) + first) <= self.threshold.take(at)
                at = sides.take(at * 2 + goes_left)
            total[low : low + _ROWS] += self.mean.take(at).sum(axis=1, dtype=np.float64)
        return np.asarray(1 / (1 + np.exp(-total)))

    def reasons(self, row: npt.NDArray[np.float32]) -> Scores:
        """Log-odds that each measure of one row added."""
        out = np.zeros(len(row))
        at = self.roots.copy()
        for _ in range(self.depth):
            goes = row[self.feature[at]] <= self.threshold[at]
            then = np.where(goes, self.left[at], self.right[at])
            np.add.at(out, self.feature[at], (self.mean[then] - self.mean[at]).astype(np.float64))
            at = then
        return out

    def check(self, measures: int) -> None:
        """Raise ValueError where the arrays do not make trees over so many measures."""
        size = len(self.feature)
        arrays = (self.threshold, self.left, self.right, self.mean)
        inside = all(
            len(one) == 0 or (int(one.min()) >= 0 and int(one.max()) < size)
            for one in (self.roots, self.left, self.right)
        )
        known = size > 0 and int(self.feature.min()) >= 0 and int(self.feature.max()) < measures
        if not known or not inside or any(len(one) != size for one in arrays) or not 0 < self.depth < 64:
            raise ValueError("no trees")

    @staticmethod
    def of(plain: dict[str, Any]) -> "Trees":
        """From the lists that `plain` gives."""
        return Trees(
            float(plain["start"]),
            np.array(plain["roots"], np.int32),
            np.array(plain["feature"], np.int32),
            np.array(plain["threshold"], np.float32),
            np.array(plain["left"], np.int32),
            np.array(plain["right"], np.int32),
            np.array(plain["mean"], np.float32),
            int(plain["depth"]),
        )

    def plain(self) -> dict[str, Any]:
        """As lists of numbers."""
        return {
            "start": round(self.start, 5),
            "depth": self.depth,
            "roots": self.roots.tolist(),
            "feature": self.feature.tolist(),
            "threshold": [round(float(one), 5) for one in self.threshold],
            "left": self.left.tolist(),
            "right": self.right.tolist(),
            "mean": [round(float(one), 5) for one in self.mean],
        }
