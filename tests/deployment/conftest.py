"""The tools that read what is deployed are Debian packages; without them, what needs them is not collected."""

import shutil

from tests.debian_packages import PROGRAMS

if not all(map(shutil.which, PROGRAMS["deployment"])):
    collect_ignore = ["test_read_by_their_programs.py"]
