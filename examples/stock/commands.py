"""The commands of `stock`: each reads or writes the replica, and prints what came of it.

Always true: no command but `sync` asks the network for anything, and what one command writes is one mutation.
"""

import argparse
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from replica import InputError, NotFoundError, Replica, Transaction

from .records import Item, Order, State

_NUMBERS = ("minimum",)
_TEXTS = ("name", "note")


def add(stock: Replica, args: argparse.Namespace) -> None:
    """Put something new on a shelf, and its order beside it: two rows, one mutation."""
    with stock.transaction() as tx:
        item = tx.insert(Item(name=args.name, minimum=args.minimum, labels=frozenset(args.label)))
        tx.insert(Order(id=item.id))
    print("ADDED", item.id)


def move(stock: Replica, typed_id: str, difference: int, **fields: object) -> None:
    """Change the amount; where it falls below the minimum, more of it is wanted, unless somebody has seen to that."""
    with stock.transaction() as tx:
        item = tx.get(Item, stock.full_id(Item, typed_id))
        item = tx.update(item, amount=item.amount + difference, **fields)
        order = tx.get(Order, item.id)
        if item.amount < item.minimum and order.state is State.NONE:
            # A consequence: it gives way to what somebody else has made of the order meanwhile.
            tx.follow(order, state=State.WANTED)
    print("NOW", item.id, item.amount)


def count(stock: Replica, args: argparse.Namespace) -> None:
    """Write down what was counted, as a difference: what others take meanwhile is taken all the same."""
    item = stock.get(Item, args.item)
    move(stock, item.id, args.amount - item.amount, counted_on=datetime.now(UTC).date())


def change(stock: Replica, args: argparse.Namespace) -> None:
    """Change fields of an item."""
    with stock.transaction() as tx:
        item = tx.get(Item, stock.full_id(Item, args.item))
        tx.update(item, **values_of(args.fields), labels=(item.labels | {*args.label}) - {*args.unlabel})
    print("CHANGED", item.id)


def values_of(fields: Sequence[str]) -> dict[str, str | int]:
    """What was typed as FIELD=VALUE."""
    values: dict[str, str | int] = {}
    for typed in fields:
        name, _, value = typed.partition("=")
        if name not in (*_NUMBERS, *_TEXTS) or (name in _NUMBERS and not value.isdecimal()):
            raise InputError(f"{typed} cannot be set", "say name=TEXT, note=TEXT or minimum=NUMBER")
        values[name] = int(value) if name in _NUMBERS else value
    return values


def order_more(stock: Replica, args: argparse.Namespace) -> None:
    """Say that it was ordered, or that it has come."""
    with stock.transaction() as tx:
        order = tx.get(Order, stock.full_id(Item, args.item))
        tx.update(order, state=State.NONE if args.arrived else State.ORDERED)
    print("ARRIVED" if args.arrived else "ORDERED", order.id)


def remove(stock: Replica, args: argparse.Namespace) -> None:
    """Take an item off the list, with its order."""
    with stock.transaction() as tx:
        item_id = stock.full_id(Item, args.item)
        tx.delete(tx.get(Item, item_id))
        tx.delete(tx.get(Order, item_id))
    print("REMOVED", item_id)


def show_all(stock: Replica, _: argparse.Namespace) -> None:
    """What is on the shelves; SQL of the program's own, with what is pending."""
    pending = stock.pending_rows("items") | stock.pending_rows("orders")
    states = {order.id: order.state for order in stock.select(Order)}
    for item in stock.select(Item, "ORDER BY name, id"):
        order = states.get(item.id, State.NONE)
        told: list[str] = [order] if order is not State.NONE else []
        told += [f"[{', '.join(sorted(item.labels))}]"] if item.labels else []
        told += ["(pending)"] if item.id in pending else []
        print(f"{item.id}  {item.amount:>3}  {item.name}", *told)


def history(stock: Replica, args: argparse.Namespace) -> None:
    """Who changed an item, oldest first."""
    for entry in stock.history(Item, args.item):
        told = ", ".join(f"{name} {before!r} -> {new!r}" for name, (before, new) in entry.fields.items())
        print(f"{entry.at[:16].replace('T', ' ')}  {entry.kind} by {entry.session}: {told}")


def sync(stock: Replica, _: argparse.Namespace) -> None:
    """Trade changes with the primary."""
    report = stock.sync()
    if report.error is not None:
        raise report.error
    print(f"SYNCED: {report.pushed} sent ({report.merged} merged, {report.parked} kept for a decision),", end=" ")
    print(f"{report.pulled} received")


def status(stock: Replica, _: argparse.Namespace) -> None:
    """How this copy stands, without asking the network."""
    now = stock.status()
    print(f"{now.state}: {now.pending} pending, {now.conflicts} to decide; last sync {now.last_sync_at or 'never'}")
    if now.waits_because:
        print(f"waits because {now.waits_because}")


def conflicts(stock: Replica, _: argparse.Namespace) -> None:
    """What waits for a decision."""
    for conflict in stock.conflicts():
        print(f"{conflict.row_id}: {conflict.reason}")
        for name, field in conflict.fields.items():
            print(f"  {name}: {field.before!r} -> mine {field.mine!r}, theirs {field.theirs!r}")


def settle(stock: Replica, args: argparse.Namespace) -> None:
    """Decide the conflict about an item: mine, theirs, or values of one's own."""
    # The item may be gone on the primary, so what was typed is looked for among the conflicts.
    found = [one for one in stock.conflicts() if one.row_id.startswith((args.item, f"it-{args.item}"))]
    if not found:
        raise InputError(f"nothing about {args.item} waits for a decision")
    choice = args.choice[0]
    stock.resolve(
        found[0].id,
        choice if choice in ("mine", "theirs") else values_of(args.choice),
        then=lambda tx: keep_order(tx, found[0].row_id),
    )
    print("SETTLED", found[0].row_id)


def keep_order(tx: Transaction, item_id: str) -> None:
    """Let an item that stays have its order: that was removed with it, and nobody else had changed it."""
    with suppress(NotFoundError):
        tx.get(Item, item_id)
        try:
            tx.get(Order, item_id)
        except NotFoundError:
            tx.insert(Order(id=item_id))


def undo(stock: Replica, _: argparse.Namespace) -> None:
    """Take back the last change made here, by a new one."""
    for undone in stock.undo().changes:
        print("UNDONE", undone.table, undone.row_id)
