"""The manual of td, made from the commands themselves: docs/commands.md, the man page, td help.

Imported only where it is asked for. Always true: nothing about a command is told here by hand, so nothing can be told
that is not so; `python -m cli.manual` writes what is kept in docs.
"""
