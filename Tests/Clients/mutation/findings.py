"""The failures found, one of each kind, with the bytes that reproduce it."""
import dataclasses
import os
import re

from .mutators import Case
from .server import Server

# Maximum bytes per case in a file. Reproduce longer ones by name: --surface expensive --only NAME.
MOST = 4_000_000


@dataclasses.dataclass
class Finding:
    surface: str
    problem: str
    cause: str
    cases: list[Case]
    file: str
    count: int = 1


def normal(text: str) -> str:
    """A key that is equal for errors that differ only in numbers and names."""
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", text)
    return re.sub(r"\d+", "#", re.sub(r'(.)\1{7,}', r"\1", text))[:110]


class Findings:
    def __init__(self, folder: str, seed: int, most: int):
        self.folder, self.seed, self.most = folder, seed, most
        self.all: dict[tuple[str, ...], Finding] = {}
        self.places: dict[tuple[str, ...], tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self.all)

    @property
    def full(self) -> bool:
        return len(self.all) >= self.most

    def add(self, surface: str, problem: str, cases: list[Case], options: str, text: bytes = b"",
            server: Server | None = None) -> None:
        shown = text.decode("utf-8", "replace")
        label = cases[-1].label if cases else ""
        # Server failures differ by cause; others have none.
        has_cause = "status" in problem
        place = surface, normal(problem), label if has_cause else "", normal(re.sub(r".*\r\n\r\n", "", shown,
            flags=re.S)) if has_cause else ""
        if place in self.places:
            self.all[self.places[place]].count += 1
            return
        cause = self.cause(shown, server) or shown[-300:]
        key = surface, normal(problem), normal(cause) if has_cause else ""
        self.places[place] = key
        if key in self.all:
            self.all[key].count += 1
            return
        number = cases[-1].number if cases else 0
        file = os.path.join(self.folder, f"{len(self.all) + 1:02}-{surface}-{number}.hex")
        self.write(file, f"{surface}, case {number}, seed {self.seed}, server options: {options or 'none'}", problem, cases[-50:])
        self.all[key] = Finding(surface, problem, cause, cases, file)
        print(f"FOUND {surface} case {number} ({label}): {problem}; {cause[:300]!r}; bytes: {file}", flush=True)

    @staticmethod
    def write(file: str, place: str, problem: str, cases: list[Case]) -> None:
        """The bytes sent, one line of hexadecimal per case; for a call, its head and its stream's content."""
        with open(file, "w") as out:
            print(f"# {place}\n# {problem}", file=out)
            for case in cases:
                print(f"# case {case.number} ({case.label})", file=out)
                for data in filter(None, [case.data, case.body]):
                    print(data.hex() if len(data) < MOST else f"{data[:1000].hex()} # and {len(data) - 1000} bytes more",
                          file=out)

    @staticmethod
    def cause(shown: str, server: Server | None) -> str | None:
        """The log line of the request."""
        found = re.search(r"(?i)x-request-id: (\S+)", shown) or re.search(r'"request_id":"([^"]+)"', shown)
        if not found or not server: return None
        for line in reversed(server.text().splitlines()[-20_000:]):
            if found[1] in line:
                error = re.search(r'error="?(.*?)"? (?:inference_ms|model|ms|request_id)=',
                                  line) or re.search(r'"error":"(.*?)","', line)
                return error[1] if error else line[-300:]
        return None
