"""From descriptions to the prior's vocabulary; providers that look alike count, and are left out, as one."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import combinations

from templating.descriptions import Description
from wardgate.recognise.templating.lexical import lexeme
from wardgate.recognise.templating.vocabulary import START, Vocabulary, both_ways, letter_model

_Said = tuple[list[str], list[str], list[str], list[str], list[tuple[str, str]]]
RESERVED = ("github.com", "datadog")
"""Providers kept for acceptance: nothing is tuned on them."""
_PARAMETER = re.compile(r"\{[^}]*\}")


def erased(template: str) -> str:
    """A template with every segment that holds a parameter as `{}`."""
    return "/".join("{}" if "{" in one else one for one in template.split("/"))


def families(all_of: Iterable[Description]) -> dict[str, str]:
    """Provider → the name of its family: those that share much of their paths, or their second-level name."""
    paths: dict[str, set[str]] = defaultdict(set)
    for one in all_of:
        paths[one.provider] |= {
            erased(p.template).lower() for p in one.paths if p.template.count("/") > 1 or "-" in p.template
        }
    parent = {name: name for name in paths}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    owners: dict[str, list[str]] = defaultdict(list)
    for name, templates in sorted(paths.items()):
        for template in templates:
            owners[template].append(name)
    shared: Counter[tuple[str, str]] = Counter()
    for names in owners.values():
        if len(names) <= 12:
            shared.update((a, b) for a in names for b in names if a < b)
    for (a, b), n in sorted(shared.items()):
        if n >= 5 and n >= 0.35 * min(len(paths[a]), len(paths[b])):
            parent[root(b)] = root(a)
    by_label: dict[str, list[str]] = defaultdict(list)
    for name in sorted(paths):
        labels = [one for one in name.split(".") if len(one) > 3 and one not in _COMMON]
        for label in labels[-1:]:
            by_label[label].append(name)
    for names in by_label.values():
        for other in names[1:]:
            parent[root(other)] = root(names[0])
    for group in (
        ("azure.com", "windows.net", "microsoft.com", "visualstudio.com"),
        ("google.com", "googleapis.com"),
    ):
        present = [one for one in group if one in parent]
        for other in present[1:]:
            parent[root(other)] = root(present[0])
    return {name: root(name) for name in paths}


_MOST_BESIDE = 80
_COMMON = frozenset("com net org local co.uk appspot herokuapp azurewebsites rapidapi json info".split())


class Counts:
    """Who says what: for every entry of the vocabulary the families that say it."""

    def __init__(self, all_of: Iterable[Description], family: dict[str, str]) -> None:
        self.words: dict[str, list[Counter[str]]] = defaultdict(lambda: [Counter() for _ in range(5)])
        self.pairs: dict[str, Counter[str]] = defaultdict(Counter)
        self.parts: dict[str, Counter[str]] = defaultdict(Counter)
        self.names: dict[str, Counter[str]] = defaultdict(Counter)
        self.data: dict[str, Counter[str]] = defaultdict(Counter)
        self.beside: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self._said: dict[str, _Said] | None = None
        for one in all_of:
            for word in one.data:
                self.data[word][family[one.provider]] += 1
            constants: dict[str, set[str]] = defaultdict(set)
            for path in one.paths:
                self._path(one.base + path.template, family[one.provider])
                before = ""
                for segment in (one.base + path.template).lower().split("/")[1:]:
                    if segment and "{" not in segment:
                        constants[before].add(segment)
                    before += f"/{segment}"
            for found in constants.values():
                for pair in combinations(sorted(found)[:_MOST_BESIDE], 2):
                    self.beside[pair][family[one.provider]] += 1

    def _path(self, template: str, family: str) -> None:
        before = START
        segments = template.split("/")[1:]
        for at, raw in enumerate(segments):
            segment = raw.lower()
            behind = segments[at + 1].lower() if at + 1 < len(segments) else None
            if "{" in raw:
                if before not in (START, "{}") and _PARAMETER.fullmatch(raw):
                    self.names[before][raw[1:-1]] += 1
                before = "{}"
                continue
            if not segment:
                continue
            entry = self.words[segment]
            entry[0][family] += 1
            if behind is not None:
                entry[1 if "{" in behind else 2][family] += 1
            entry[3 if before == "{}" else 4][family] += 1
            self.pairs[f"{before}/{segment}"][family] += 1
            for part in lexeme(raw).parts:
                self.parts[part][family] += 1
            if before == START:
                entry_start = self.words[START]
                entry_start[0][family] += 1
                entry_start[2][family] += 1
            before = segment
        if segments and "{" in segments[0]:
            self.words[START][1][family] += 1

    def without_one(self, family: str, whole: Vocabulary, least: int = 2) -> Vocabulary:
        """`vocabulary` without one family, made from the whole one; letters and names stay."""
        words, pairs, parts, data = dict(whole.words), dict(whole.pairs), dict(whole.parts), dict(whole.data)
        said = self._said_by(family)
        for key in said[0]:
            new = tuple(len(c) - (family in c) for c in self.words[key])
            words[key] = new if new[0] >= least else (0,) * 5
        for kept, counted, keys in (
            (pairs, self.pairs, said[1]),
            (parts, self.parts, said[2]),
            (data, self.data, said[3]),
        ):
            for key in keys:
                kept[key] = len(counted[key]) - 1 if len(counted[key]) > least else 0
        beside = dict(whole.beside)
        for first, second in said[4]:
            n = len(self.beside[first, second])
            if n >= least:
                for one, other in ((first, second), (second, first)):
                    found = dict(beside[one])
                    found[other] = n - 1
                    beside[one] = {key: times for key, times in found.items() if times >= least}
        return Vocabulary(words, pairs, parts, whole.letters, whole.names, data, beside)

    def _said_by(self, family: str) -> _Said:
        """The words, pairs, parts, data and constants beside one another of a family."""
        if self._said is None:
            self._said = defaultdict(lambda: ([], [], [], [], []))
            for word, row in self.words.items():
                for one in row[0].keys() | row[1].keys():
                    self._said[one][0].append(word)
            for both, families_of in self.beside.items():
                for one in families_of:
                    self._said[one][4].append(both)
            for at, counted in ((1, self.pairs), (2, self.parts), (3, self.data)):
                for key, counter in counted.items():
                    for one in counter:
                        self._said[one][at].append(key)
        return self._said.get(family, ([], [], [], [], []))

    def vocabulary(self, without: frozenset[str] = frozenset(), least: int = 2) -> Vocabulary:
        """The vocabulary that the other families make; entries said by fewer than `least` are dropped."""

        def n(counter: Counter[str]) -> int:
            return len(counter) - sum(1 for one in without if one in counter)

        words = {w: tuple(n(c) for c in row) for w, row in self.words.items()}
        words = {w: row for w, row in words.items() if row[0] >= least}
        pairs = {p: c for p, counter in self.pairs.items() if (c := n(counter)) >= least}
        parts = {p: c for p, counter in self.parts.items() if (c := n(counter)) >= least and len(p) > 1}
        data = {w: c for w, counter in self.data.items() if (c := n(counter)) >= least}
        beside: dict[str, dict[str, int]] = {}
        for (first, second), counter in self.beside.items():
            if (c := n(counter)) >= least:
                beside.setdefault(first, {})[second] = c
        letters = letter_model((w for w in words if w.isalpha()), 3000)
        names = {}
        for noun, counter in self.names.items():
            if noun in words:
                name, count = max(counter.items(), key=lambda one: (one[1], one[0]))
                if count >= 3:
                    names[noun] = name
        return Vocabulary(words, pairs, parts, letters, names, data, both_ways(beside))
