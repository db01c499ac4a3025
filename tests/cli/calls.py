"""One call or more of each command, in an order in which all of them go well, for the tests that walk all commands.

A new command gets a line in `CALLS`. A word in capitals stands for what the test has made: `ISSUE`, an issue nobody
works on; `OTHER`, a second one; `CONFLICT`, a conflict about a third; `STRETCH`, a work session; `BOARD` and `NOTE`;
`URL`, where the primary is; `LOCAL`, a directory without one; `EMPTY`, a directory without anything; `FILE`, a file
that is not there yet; `PENDING`, one with salvaged changes.
"""

from typing import Final

CALLS: Final = """
init -w EMPTY
status
status --db
whoami
usage
usage --compact
create Title -l a -l b --parent ISSUE --due tomorrow --points 3
create bug:_one --depends-on ISSUE --blocks OTHER
list
list -s closed
list --count
list --explain -f status_=_open
search title
show ISSUE
show ISSUE OTHER
show ISSUE --children
update ISSUE -p 0
update ISSUE OTHER --sprint one
comment ISSUE hello
comments ISSUE
dep ISSUE
dep OTHER ISSUE
dep rm OTHER ISSUE
dep rm OTHER ISSUE
dep OTHER ISSUE
depends-on OTHER
blocked-by ISSUE
ready -n 2
next
blocked
in-review
reviewable
deleted
epic create An_epic
epic list
tree
critical-path
workflow
defer OTHER +2w
defer OTHER --clear
due OTHER tomorrow
focus OTHER
resume OTHER
unfocus
unfocus
start OTHER
start OTHER
log OTHER a_step --decision
logs OTHER
handoff OTHER --done this --remaining that
check-handoff -w LOCAL
session
session --name me
session list
session cleanup --older-than 0d
ws start a_stretch
ws tag OTHER
ws log what_happened
ws current
ws list
ws show STRETCH
ws untag OTHER
ws handoff --continue --done this
ws end
unstart OTHER
unstart --stale 9d
unstart OTHER
block ISSUE OTHER
unblock ISSUE OTHER
start OTHER
review OTHER --minor
reject OTHER -m not_yet
start OTHER
review OTHER
approve OTHER -m fine
close ISSUE
reopen ISSUE
delete ISSUE
restore ISSUE
link ISSUE README
files ISSUE
unlink ISSUE README
board
board create A_☕_board -q type_=_task
board list --deleted
board edit BOARD --view-mode backlog
board move BOARD ISSUE --top
board show BOARD
board unposition BOARD ISSUE OTHER
board delete BOARD
board restore BOARD
note
note add A_☕_title
note list --archived
note show NOTE
note edit NOTE --append more
note pin NOTE
note unpin NOTE
note archive NOTE
note unarchive NOTE
note delete NOTE
note restore NOTE
history ISSUE
stats
last -n 2
undo
sync pending
sync lost
sync lost --forget
sync status
conflicts
conflicts list
conflicts show CONFLICT
resolve CONFLICT --mine
sync
sync now
config list
config list --origin
config profiles list
config profiles create other --url URL --mode remote
config profiles create other --change --auth token
config profiles show
config profiles use other
config profiles delete other
config get mode
config get review.policy
config unset review.policy
config set mode libsql
config set mode local
config set url URL
config unset url -w LOCAL
query SELECT_*_FROM_issues
query SELECT_*_FROM_issues_WHERE_0
query .tables
query --write INSERT_INTO_issues_(title)_VALUES_('Bread')
query --write --dry-run DELETE_FROM_issues
doctor
export
export -o FILE
import FILE --dry-run
import FILE
import --pending PENDING
auth new-vault-key
auth status
help
help list
help config get
man
completion bash
schema
schema list
schema config get
version
"""
"""An underscore in a word is a space."""
