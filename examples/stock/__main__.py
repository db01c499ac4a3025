"""Run `stock`: say what can be typed, open the replica, and put errors into one line.

STOCK_DIR is where the copy of this person is (`stock-data`), STOCK_URL the primary (none: one file, nobody else), and
STOCK_TOKEN its token.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from replica import Replica, ReplicaError, machine_id, new_session_id, open_replica

from . import commands
from .records import Item, Order


def main(args: Sequence[str]) -> int:
    """Run one command line; returns the exit code."""
    typed = _parser().parse_args(args)
    try:
        with open_stock() as stock:
            typed.run(stock, typed)
    except ReplicaError as error:
        # Every error of the toolkit tells what happened, and most what to do.
        print(f"stock: {error}" + (f"; {error.hint}" if error.hint else ""), file=sys.stderr)
        return 1
    return 0


def open_stock() -> Replica:
    """The stock, as the environment says where it is."""
    directory, url = Path(os.environ.get("STOCK_DIR", "stock-data")), os.environ.get("STOCK_URL")
    return open_replica(
        directory,
        records=[Item, Order],
        migrations=Path(__file__).with_name("migrations"),
        mode="libsql" if url else "local",
        url=url,
        token=lambda: os.environ.get("STOCK_TOKEN"),
        session=_session(directory),
    )


def _session(directory: Path) -> str:
    """Who works here: the same from one command to the next, so that `undo` knows whose last change is meant."""
    path = directory / "session"
    if not path.exists():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(new_session_id(machine_id()), encoding="utf-8")
    return path.read_text(encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stock", description="What is on the shelves.")
    names = parser.add_subparsers(required=True, metavar="COMMAND")

    add = names.add_parser("add", help="put something new on a shelf")
    add.add_argument("name")
    add.add_argument("--minimum", type=int, default=0)
    add.add_argument("--label", action="append", default=[])
    add.set_defaults(run=commands.add)

    for name, sign in (("take", -1), ("put", 1)):
        moving = names.add_parser(name, help=f"{name} some of an item")
        moving.add_argument("item")
        moving.add_argument("amount", type=int, choices=range(1, 1_000_000), metavar="AMOUNT")
        moving.set_defaults(run=lambda stock, typed, sign=sign: commands.move(stock, typed.item, sign * typed.amount))

    count = names.add_parser("count", help="write down how many there are")
    count.add_argument("item")
    count.add_argument("amount", type=int)
    count.set_defaults(run=commands.count)

    change = names.add_parser("change", help="change name, note, minimum or labels")
    change.add_argument("item")
    change.add_argument("fields", nargs="*", metavar="FIELD=VALUE")
    change.add_argument("--label", action="append", default=[])
    change.add_argument("--unlabel", action="append", default=[])
    change.set_defaults(run=commands.change)

    order = names.add_parser("order", help="say that more was ordered, or has come")
    order.add_argument("item")
    order.add_argument("--arrived", action="store_true")
    order.set_defaults(run=commands.order_more)

    settle = names.add_parser("settle", help="decide a conflict")
    settle.add_argument("item")
    settle.add_argument("choice", nargs="+", metavar="mine|theirs|FIELD=VALUE")
    settle.set_defaults(run=commands.settle)

    for name, run in (("remove", commands.remove), ("history", commands.history)):
        about = names.add_parser(name)
        about.add_argument("item")
        about.set_defaults(run=run)
    for name, plain in (
        ("list", commands.show_all),
        ("sync", commands.sync),
        ("status", commands.status),
        ("conflicts", commands.conflicts),
        ("undo", commands.undo),
    ):
        names.add_parser(name).set_defaults(run=plain)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
