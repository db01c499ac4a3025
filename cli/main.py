"""Where `td` begins.

Always true: whatever happens, Ctrl-C included, the process ends with an exit code of `cli.exits` and no traceback
for what a person may do. So nothing of weight is imported before the `try`.
"""

import sys


def main() -> None:
    """Run td with the arguments of the process, and end the process."""
    try:
        # Most of a short command is imports: Ctrl-C must find them guarded.
        from cli.run import run  # noqa: PLC0415 - see above

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        sys.stderr.write("td: interrupted; what was acknowledged is kept\n")
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
