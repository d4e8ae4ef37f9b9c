"""Priors that have not seen a provider: trees of three folds of families, words without its family."""

import pickle
from dataclasses import dataclass
from zlib import crc32

from templating.descriptions import CACHE, Description
from templating.train import MOST, REPEAT, train
from templating.training import services
from templating.words import Counts
from wardgate.recognise.templating.company import SECOND
from wardgate.recognise.templating.evidence import NAMES
from wardgate.recognise.templating.judgement import Trees
from wardgate.recognise.templating.prior import Prior
from wardgate.recognise.templating.vocabulary import Vocabulary

FOLDS = 3


def fold_of(family: str, folds: int) -> int:
    return crc32(family.encode()) % folds


@dataclass(frozen=True, slots=True)
class FoldPriors:
    """The trees of every fold, trained on the other folds."""

    counts: Counts
    whole: Vocabulary
    trees: list[tuple[Trees, Trees, Trees]]

    def without(self, family: str, fold: int) -> Prior:
        """A prior that knows neither words nor traffic of a family."""
        return Prior(self.counts.without_one(family, self.whole), *self.trees[fold])


def fold_priors(
    all_of: list[Description], family: dict[str, str], most: int = MOST, repeat: int = REPEAT
) -> FoldPriors:
    """Trains every fold, or takes them from the cache where nothing that they are made of changed."""
    counts = Counts(all_of, family)
    made = CACHE / f"folds-{_stamp(most, repeat)}.pickle"
    if made.exists():
        trees = pickle.loads(made.read_bytes())
    else:
        found = list(services(all_of, family, counts, 1, most, repeat))
        trees = [train([one for one in found if fold_of(one.family, FOLDS) != fold]) for fold in range(FOLDS)]
        made.write_bytes(pickle.dumps(trees))
    return FoldPriors(counts, counts.vocabulary(), trees)


def _stamp(*also: int) -> str:
    """Changes with the code that makes and weighs the traffic."""
    from pathlib import Path

    here = Path(__file__).parent
    package = here.parents[1] / "src/wardgate/recognise/templating"
    files = [here / n for n in ("traffic.py", "training.py", "train.py", "words.py")]
    files += [
        package / n
        for n in (
            "evidence.py company.py surroundings.py lexical.py learner.py trie.py vocabulary.py".split()
        )
    ]
    text = b"".join(one.read_bytes() for one in files) + repr((NAMES, SECOND, also)).encode()
    return f"{crc32(text):08x}"
