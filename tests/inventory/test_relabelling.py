"""Templates evolve with traffic: history follows, ids stay, and doing it again changes nothing."""

from pathlib import Path

import msgspec

from wardgate.core.clock import fixed_clock
from wardgate.core.home import open_home
from wardgate.core.keys import load_key
from wardgate.inventory.operations import operations
from wardgate.inventory.relabelling import Relabelled, relabel
from wardgate.inventory.scope import Scope
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake
from wardgate.pipeline import Pipeline
from wardgate.recognise.templating.prior import shipped
from wardgate.recognise.templating.settled import Settled
from wardgate.service.ingest import Ingest, Reading
from wardgate.sources.files import find_inputs

_NAMES = "ada bela chen dara emil fatou goran hana ines jomo kofi lena".split()
_NOW = 1_772_366_400_000_000


def test_history_follows_what_was_learned(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    key = load_key(home.path)
    lake = Lake(embedded_place(home))
    clock = fixed_clock(_NOW)
    calls = [f"/members/{name}/{kind}" for name in _NAMES for kind in ("orders", "invoices", "avatar")]
    calls += [f"/members/{name}" for name in _NAMES] + ["/members/me", "/status", "/orders/7", "/orders/8"]
    file = tmp_path / "api.jsonl"
    file.write_bytes(
        b"\n".join(
            msgspec.json.encode(
                {
                    "ts": "2026-03-01T10:00:00Z",
                    "method": "GET",
                    "url": f"https://api.test{path}",
                    "status": 200,
                }
            )
            for path in calls
        )
    )
    list(
        Ingest(Pipeline(lake, key, fixed_clock(_NOW)), fixed_clock(_NOW)).run(
            find_inputs([str(file)]), Reading()
        )
    )

    def shown() -> dict[str, tuple[int, int]]:
        return {one.template: (one.calls, one.operation_id) for one in operations(lake, Scope()).rows}

    before = shown()
    done = relabel(lake, key, shipped, clock)
    after = shown()
    assert done.services == ("api.test",) and done.paths >= 4 * len(_NAMES)
    assert after["/members/{memberId}/orders"][0] == len(_NAMES)
    assert after["/members/{memberId}"][0] == len(_NAMES)
    assert after["/members/me"][0] == after["/status"][0] == 1
    assert after["/orders/{orderId}"] == before["/orders/{orderId}"]
    assert sum(calls for calls, _ in after.values()) == len(calls)
    assert relabel(lake, key, shipped, clock) == Relabelled()

    settled = {"api.test": Settled(pinned=("/members/ada",))}
    assert relabel(lake, key, shipped, clock, lambda lake: settled).paths == 1
    assert shown()["/members/ada"] == (1, before["/members/ada"][1])
    assert relabel(lake, key, shipped, clock).paths == 1, "a pin that is gone gives the path back"
    lake.close()
