"""The recordings of the sandbox's calls: silent MP3s behind links that die, as the server's do."""

import hashlib
from collections.abc import Callable
from urllib.parse import parse_qs

from common.sandbox.company import RECORDED_DISPOSITIONS, Entry
from common.sandbox.refusal import Refusal

LINK_SECONDS = 15 * 60
UPLOAD_SECONDS = 2 * 60


def recording(call: Entry) -> bytes:
    """The call's recording: an MP3 as long as the talk, silent, with the call's id as its title."""
    title = b"\x03" + str(call["callID"]).encode()
    tag = b"TIT2" + len(title).to_bytes(4) + b"\0\0" + title
    frame = bytes.fromhex("fff328c4") + bytes(68)  # MPEG-2 layer III, 16 kbit/s, 16 kHz, mono: 36 ms
    frames = int(call["billsec"]) * 1000 // 36 + 1
    return b"ID3\x03\0\0" + len(tag).to_bytes(4) + tag + frame * frames


def is_uploaded(call: Entry, now: float) -> bool:
    """Whether the recording of a call that has one can be had at a moment, in Unix seconds."""
    end = int(call["startTime"]) + int(call["waitsec"]) + int(call["billsec"])
    return end + UPLOAD_SECONDS <= now


class Recordings:
    """Gives links to recordings, and what is behind them.

    find:         gives the call with a callID, or None
    link_seconds: how long a link lives
    """

    def __init__(
        self, find: Callable[[str], Entry | None], secret: str, clock: Callable[[], float], link_seconds: float
    ) -> None:
        self._find = find
        self._secret = secret
        self._clock = clock
        self._link_seconds = link_seconds

    def link(self, call_id: str, root: str) -> str:
        """A link to the recording of a call, below the server's address. Raises Refusal when there is none (yet)."""
        call = self._find(call_id)
        if not call or call["disposition"] not in RECORDED_DISPOSITIONS or not is_uploaded(call, self._clock()):
            raise Refusal(104, "Wrong data")
        expires = int(self._clock() + self._link_seconds)
        signature = self._signature(call_id, expires)
        return f"{root}/records/{call_id}.mp3?AWSAccessKeyId=SANDBOX&Expires={expires}&Signature={signature}"

    def content(self, path: str, query: str) -> bytes | None:
        """The recording behind a link, or None when the link has expired or was never given."""
        call_id = path.removeprefix("/records/").removesuffix(".mp3")
        values = {name: given[0] for name, given in parse_qs(query).items()}
        expires = values.get("Expires", "")
        if not expires.isdecimal() or int(expires) < self._clock():
            return None
        if values.get("Signature") != self._signature(call_id, int(expires)):
            return None
        call = self._find(call_id)
        return recording(call) if call else None

    def _signature(self, call_id: str, expires: int) -> str:
        return hashlib.sha256(f"{self._secret} {call_id} {expires}".encode()).hexdigest()[:28]
