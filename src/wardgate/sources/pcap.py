"""Packet captures (pcap, pcapng) through tshark: HTTP/1 and HTTP/2 in the clear, or with their TLS secrets.

Position is the call's number, in the order in which calls came to their end. TLS without secrets is
counted and passed over (`encrypted`); `editcap --inject-secrets` puts a key log into a pcapng file.
Reference: IETF drafts "PCAP Capture File Format" and "PCAP Now Generic", and Wireshark's manual pages.
"""

from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

import msgspec

from wardgate.core.observed import Parsed, Reason, Reject
from wardgate.sources.exchanges import Exchange, Part
from wardgate.sources.format import Fit, Options
from wardgate.sources.packets import Call, Conversations, Packet, exchange
from wardgate.sources.reader import BrokenCompression, read_some
from wardgate.sources.tshark import STALL, Tshark

_PCAP = {bytes.fromhex(magic) for magic in ("a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1")}
_PCAPNG = bytes.fromhex("0a0d0d0a")
_BYTE_ORDER = {bytes.fromhex("1a2b3c4d"), bytes.fromhex("4d3c2b1a")}
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_LOOKED_AT = 16 << 20
"""Bytes in which HTTP/2 without TLS is looked for, since tshark does not expect it on any port."""
_PIECE = 1 << 18
_KEPT = 4096


class Pcap:
    """Packet captures of tcpdump, dumpcap and Wireshark. Needs tshark."""

    name = "pcap"
    title = "Packet capture (pcap, pcapng)"
    reference = "PCAP Capture File Format; PCAP Now Generic (pcapng); Wireshark's tshark(1)"

    def __init__(self, *, program: str = "tshark", stall: float = STALL) -> None:
        self.program = program
        self._stall = stall

    def fit(self, sample: bytes) -> Fit | None:
        if sample[:4] in _PCAP and len(sample) >= 24:
            return Fit(1.0, "the magic number of a pcap file")
        if sample[:4] == _PCAPNG and sample[8:12] in _BYTE_ORDER:
            return Fit(1.0, "the section header of a pcapng file")
        return None

    def read(self, stream: BinaryIO, options: Options) -> Iterator[Parsed]:
        """Raises `tshark-missing`, `tshark-stalled`, `tshark-failed`."""
        tshark = Tshark(self.program, stall=self._stall)
        head = b"".join(_pieces(stream, _LOOKED_AT))
        if not head:
            return
        conversations, part, position = Conversations(), Part(), 0
        decoder = msgspec.json.Decoder(Packet, strict=False)
        for line in tshark.frames(chain([head], _pieces(stream)), http2_ports(head)):
            try:
                outcomes = list(conversations.frame(decoder.decode(line)))
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                part.reject(Reject(position, Reason.BAD_VALUE, line[:_KEPT]))
                position += 1
                continue
            for outcome in outcomes:
                _account(part, position, outcome)
                position += 1
            if part.full:
                yield part.take()
        for outcome in conversations.rest():
            _account(part, position, outcome)
            position += 1
            if part.full:
                yield part.take()
        ending = [tshark.ending] if tshark.ending is not None else []
        for reason in [Reason.TOO_LONG] * tshark.too_long + ending:
            part.reject(Reject(position, reason, b""))
            position += 1
        if not part.empty:
            yield part.take()


def _account(part: Part, position: int, outcome: Call | str) -> None:
    if isinstance(outcome, str):
        part.skip(outcome)
        return
    found = exchange(position, outcome)
    if isinstance(found, Exchange):
        part.accept(found)
    else:
        part.reject(Reject(position, found, f"{outcome.method} {outcome.target}".encode()[:_KEPT]))


def http2_ports(capture: bytes) -> list[int]:
    """Ports on which clients begin HTTP/2 without TLS: where the TCP header before a preface goes to."""
    ports: set[int] = set()
    at = capture.find(_PREFACE)
    while at >= 0:
        for length in range(20, 61, 4):  # RFC 9293: the header's length in words, with its options
            tcp = at - length
            if tcp >= 20 and capture[tcp + 12] >> 4 == length // 4 and _is_tcp(capture, tcp):
                ports.add(int.from_bytes(capture[tcp + 2 : tcp + 4], "big"))
        at = capture.find(_PREFACE, at + 1)
    return sorted(ports - {0})[:100]


def _is_tcp(capture: bytes, tcp: int) -> bool:
    """Whether an IP header that announces TCP stands right before."""
    v4, v6 = capture[tcp - 20 : tcp], capture[max(tcp - 40, 0) : tcp]
    return (v4[0] == 0x45 and v4[9] == 6) or (len(v6) == 40 and v6[0] >> 4 == 6 and v6[6] == 6)


def _pieces(stream: BinaryIO, most: int | None = None) -> Iterator[bytes]:
    """The stream's bytes, `most` of them at most; a compressed stream that breaks is at its end."""
    while most is None or most > 0:
        try:
            piece = read_some(stream, _PIECE if most is None else min(_PIECE, most))
        except BrokenCompression:
            return
        if not piece:
            return
        if most is not None:
            most -= len(piece)
        yield piece
