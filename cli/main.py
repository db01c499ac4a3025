"""Where `td` begins.

Always true: whatever happens, Ctrl-C included, the process ends with an exit code of `cli.exits` and no traceback
for what a person may do. So nothing of weight is imported before the `try`.
"""

import gc
import os
import sys


def main() -> None:
    """Run td with the arguments of the process, and end the process."""
    # Imports make many objects that live as long as the process, and most commands end soon after: looking for garbage
    # as often as Python does by itself costs a fifth of their time.
    gc.disable()
    # td uses none of them, and looking for them reads the metadata of every package that is installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    # The command line of httpx itself, which it does without where its extra is not installed: a third of its import.
    sys.modules["httpx._main"] = None  # type: ignore[assignment] # how Python marks what cannot be imported
    try:
        # Most of a short command is imports: Ctrl-C must find them guarded.
        from cli.run import run  # noqa: PLC0415 - see above

        gc.freeze()
        gc.set_threshold(50_000)
        gc.enable()
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        # Before td could even look at its arguments.
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
