"""A storage that speaks S3, for the bottomless replication of sqld: moto, in a process of its own."""

import http.client
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sqld import free_port

_BUCKET: Final = "backups"
_DEADLINE_S: Final = 20.0


def until(condition: Callable[[], bool]) -> None:
    """Return when it holds; fail at a deadline."""
    pause = threading.Event()
    for _ in range(int(_DEADLINE_S / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError("it did not come to pass")


class Storage:
    """One S3 with one empty bucket; gone with all it holds at the end of the `with` block."""

    def __init__(self) -> None:
        self.port = free_port()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [Path(sys.executable).with_name("moto_server"), "-H", "127.0.0.1", "-p", str(self.port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._answers)
        self._ask("PUT", f"/{_BUCKET}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    def settings(self, database_id: str) -> dict[str, str]:
        """What makes an sqld replicate to here, in its environment."""
        return {
            "SQLD_ENABLE_BOTTOMLESS_REPLICATION": "true",
            "LIBSQL_BOTTOMLESS_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "LIBSQL_BOTTOMLESS_BUCKET": _BUCKET,
            "LIBSQL_BOTTOMLESS_DATABASE_ID": database_id,
            "LIBSQL_BOTTOMLESS_AWS_ACCESS_KEY_ID": "anybody",
            "LIBSQL_BOTTOMLESS_AWS_SECRET_ACCESS_KEY": "anything",
            "LIBSQL_BOTTOMLESS_AWS_DEFAULT_REGION": "us-east-1",
            "LIBSQL_BOTTOMLESS_BATCH_INTERVAL_SECS": "1",
            "LIBSQL_BOTTOMLESS_S3_MAX_RETRIES": "2",
        }

    def objects(self, database_id: str) -> list[str]:
        """The names of all that a database has here, within its folder."""
        listing = self._ask("GET", f"/{_BUCKET}?list-type=2&prefix=ns-{database_id}:")
        return [name.partition("/")[2] for name in re.findall("<Key>(.*?)</Key>", listing)]

    def batches(self, database_id: str) -> dict[int, int]:
        """When each batch of frames was made, in whole seconds, by the number of its last frame."""
        found = (re.fullmatch(r"\d+-(\d+)-(\d+)\.\w+", name) for name in self.objects(database_id))
        return {int(match[1]): int(match[2]) for match in found if match is not None}

    def _answers(self) -> bool:
        try:
            self._ask("GET", "/")
        except OSError:
            return False
        return True

    def _ask(self, method: str, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()
