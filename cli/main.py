"""Where `td` begins.

Always true:
- whatever happens, Ctrl-C included, the process ends with an exit code of `cli.exits` and no traceback for what a
  person may do; so nothing of weight is imported before the `try`;
- the memory of td, which holds tokens and keys, is in no core file, nor is that of what it starts.
"""

import gc
import os
import resource
import sys


def main() -> None:
    """Run td with the arguments of the process, and end the process."""
    # A core file lies where td was called, and may be copied with what else is there. The upper limit stays: whoever
    # looks for a fault may raise this one again.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
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
