"""What all layers say of operations, put together: for one with every reason, for many at the price of few.

A standing depends only on which kinds of evidence there are, so most operations need no evidence of their
own before they are shown.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache

from wardgate.inventory.classification import Standing, judged, strongest
from wardgate.inventory.covering import Covering, NeverCalled
from wardgate.inventory.evidence import Evidence, Layer, Says
from wardgate.inventory.owners import Owners
from wardgate.inventory.seen import Labelled
from wardgate.inventory.specifications.form import Outlined


class Judge:
    """The layers of an installation, by service."""

    def __init__(self, coverings: Mapping[str, Sequence[Covering]], owners: Owners | None = None) -> None:
        self._coverings = coverings
        self._owners = owners or Owners()

    def evidence(self, service: str, one: Labelled) -> list[Evidence]:
        """What all but traffic says of an operation that was called.

        Who answers for a description does not answer for what it leaves out.
        """
        out = self._owners.of(service, one)
        for covering in self._coverings.get(service, ()):
            out.append(covering.covers)
            found = covering.lookup.of(one)
            if found is not None:
                out += covering.evidence(found)
            elif covering.lookup.covers_preflight(one):
                out += covering.evidence_of_preflight()
        return out

    def evidence_of_never_called(self, one: NeverCalled, sights: Iterable[Evidence]) -> list[Evidence]:
        """What is known of an operation that was never called."""
        out = [*sights, *self._owners.of(one.service, one)]
        for covering, outlined in one.coverings:
            out += [covering.covers, *covering.evidence(outlined)]
        return out

    def standing(self, service: str, one: Labelled, tried: bool = False) -> Standing:
        """The standing of an operation that was called, as `classify` judges all of its evidence."""
        described = deprecated = False
        covers = self._coverings.get(service, ())
        for covering in covers:
            found = covering.lookup.of(one)
            if found is None:
                described = described or covering.lookup.covers_preflight(one)
            else:
                described, deprecated = True, deprecated or found.deprecated
        return _standing(tried, described, deprecated, bool(covers))

    def owners(self, service: str, one: Labelled | NeverCalled) -> tuple[str, ...]:
        """Who owns an operation, as `classify` has it."""
        said = self._owners.of(service, one)
        found = one.coverings if isinstance(one, NeverCalled) else self.described(service, one)
        for covering, outlined in found:
            said += covering.owned(outlined)
        return tuple(sorted({each.detail or each.source for each in strongest(said)}))

    def owned_service(self, service: str) -> list[Evidence]:
        """Who answers for a service as a whole: by rules, CODEOWNERS and descriptions."""
        out = self._owners.of_service(service)
        for covering in self._coverings.get(service, ()):
            out += covering.owned()
        return out

    def described(self, service: str, one: Labelled) -> Iterator[tuple[Covering, Outlined]]:
        """Every described operation that one which was called is."""
        for covering in self._coverings.get(service, ()):
            found = covering.lookup.of(one)
            if found is not None:
                yield covering, found

    @property
    def services(self) -> Collection[str]:
        """The services that a specification describes, seen or not."""
        return self._coverings.keys()

    def covers(self, service: str) -> Sequence[Covering]:
        """The specifications that describe a service."""
        return self._coverings.get(service, ())


@cache
def _standing(tried: bool, described: bool, deprecated: bool, covered: bool) -> Standing:
    kinds = {(Layer.TRAFFIC, Says.TRIED if tried else Says.EXISTS)}
    kinds |= {(Layer.SPECIFICATION, Says.EXISTS)} if described else set()
    kinds |= {(Layer.SPECIFICATION, Says.DEPRECATED)} if deprecated else set()
    kinds |= {(Layer.SPECIFICATION, Says.COVERS)} if covered else set()
    return judged(frozenset(kinds))[0]
