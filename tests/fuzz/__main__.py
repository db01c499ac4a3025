"""python -m tests.fuzz --minutes N | --examples N [--only WORDS] [--seed S]: many inputs, and how many there were."""

import argparse
import faulthandler
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.fuzz.promise import Promise
from tests.fuzz.promises import PROMISES
from tests.fuzz.workbench import Workbench

_ROUND: Final = 100
_HANG_S: Final = 300


def main(arguments: Sequence[str] | None = None) -> int:
    """Hold every promise against many inputs; 1 if one was broken."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    options = _parser().parse_args(arguments)
    chosen = [promise for promise in PROMISES if options.only in promise.name]
    broken: dict[str, int] = {}
    start = time.monotonic()
    end = start + options.minutes * 60 if options.minutes else float("inf")
    numbers = random.Random(options.seed)
    _say(f"seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="fuzz-") as root, Workbench(Path(root)) as bench:
        while chosen and time.monotonic() < end:
            for promise in [each for each in chosen if each.name not in broken]:
                size = min(_ROUND, options.examples - promise.tried) if options.examples else _ROUND
                number = numbers.getrandbits(60)
                if not _holds(promise, bench, size, number):
                    broken[promise.name] = number
                if time.monotonic() > end:
                    break
            chosen = [each for each in chosen if each.name not in broken and each.tried < (options.examples or 10**12)]
    for promise in PROMISES:
        if promise.tried:
            _say(f"{promise.tried:>9,}  {promise.name}{'  BROKEN' if promise.name in broken else ''}")
    _say(f"{sum(promise.tried for promise in PROMISES):>9,}  in {time.monotonic() - start:.0f} s, {len(broken)} broken")
    return 1 if broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    much = parser.add_mutually_exclusive_group(required=True)
    much.add_argument("--minutes", type=float, default=0.0, help="how long, for all promises together")
    much.add_argument("--examples", type=int, default=0, help="how many inputs for each promise, at the least")
    parser.add_argument("--only", default="", help="only promises with these words in their name")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    return parser


def _holds(promise: Promise[Any], bench: Workbench, examples: int, number: int) -> bool:
    """Whether it held; what broke it is shown, with the input that Hypothesis found to be the smallest."""
    # Whatever hangs is shown with its stack, and ends the run.
    faulthandler.dump_traceback_later(_HANG_S, exit=True)
    try:
        promise.hold(bench, examples=examples, number=number)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - every kind of error is what is looked for
        _say(f"BROKEN: {promise.name}\n{promise.text}\n{traceback.format_exc()}")
        return False
    finally:
        faulthandler.cancel_dump_traceback_later()
    return True


def _say(text: str) -> None:
    sys.stdout.write(text + os.linesep)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
