"""Load: many replicas against one sqld on one machine, and what becomes of latency, traffic and CPU as they grow.

`python -m benchmarks.load --clients 100 --rate 1 --seconds 30 [--read-replica] [--rows STORED]` is one run;
`python -m benchmarks.load.growth --write` is all of them, with figures and plots in docs/.

Each client is a whole replica: its own directory, outbox, HTTP connection, and its own puller process for each pull.
Many share a worker process, as threads. That is honest for what is measured between commit and commit, because a
client waits for disk, network and its puller most of the time; where the machine has no time left for them all, the
run says so: it reports how late syncs began and who used the CPU.
"""
