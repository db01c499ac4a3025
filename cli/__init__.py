"""td, the command line: parse, call, render."""
