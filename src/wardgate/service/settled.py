"""What is settled of templates, of an installation that may have no state yet.

Apart from `service.settling`, since what opens a state takes as long to load as a short ingestion takes: it
is loaded where there is one.
"""

from collections.abc import Mapping

from wardgate.core.clock import Clock
from wardgate.core.home import Home
from wardgate.lake.store import Lake
from wardgate.recognise.templating.settled import Settled
from wardgate.service.learning import SettledOf, nothing_settled


def settled_at(home: Home, url: str | None, clock: Clock) -> SettledOf:
    """What people and specifications in force settle; nothing where there is no state."""
    if url is None and not home.state.exists():
        return nothing_settled

    def found(lake: Lake) -> Mapping[str, Settled]:
        from wardgate.service.settling import settled_in
        from wardgate.state.store import open_state

        state = open_state(home, url)
        try:
            return settled_in(state, clock, lake)
        finally:
            state.close()

    return found
