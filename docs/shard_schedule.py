"""The schedule of shards on machines that fail and machines that are slow, simulated: `python docs/shard_schedule.py`.

A shard is requeued when its machine fails and goes on from its finished blocks, as `ekernel gram --shard` does; each start costs time of
its own (the queue, reading the data). Times are in hours; with all machines whole and alike the work takes 1 hour.
"""

import heapq
import random

MACHINES = 64
#: Blocks of a shard of the smallest number of shards, so that a failure loses a part of a block alone.
BLOCKS = 2048


def hours(shards: int, start: float, failing: float, slow: float, seed: int) -> float:
    """Until the last shard is there; `failing` per machine and hour, `slow` the share of machines with half the speed."""
    draw = random.Random(seed)
    speeds = [0.5 if draw.random() < slow else 1.0 for _ in range(MACHINES)]
    free = [(0.0, machine) for machine in range(MACHINES)]
    heapq.heapify(free)
    block = MACHINES / BLOCKS
    queue = [BLOCKS // shards + (i < BLOCKS % shards) for i in range(shards)]
    end = 0.0
    while queue:
        left = queue.pop()
        now, machine = heapq.heappop(free)
        work = start + left * block / speeds[machine]
        failure = draw.expovariate(failing) if failing else float("inf")
        if failure < work:
            done = max(0, int((failure - start) * speeds[machine] / block))
            if left > done:
                queue.insert(0, left - done)
            # The machine is back after a while.
            heapq.heappush(free, (now + failure + 0.1, machine))
        else:
            heapq.heappush(free, (now + work, machine))
            end = max(end, now + work)
    return end


print(f"{MACHINES} machines, {BLOCKS} blocks; the mean of 20 runs, in hours")
print("shards   whole   a tenth slow   failing once in 4 h   both   both, a start of 6 min")
for shards in (64, 128, 256, 512, 1024, 2048):
    cases = [(0.002, 0, 0), (0.002, 0, 0.1), (0.002, 0.25, 0), (0.002, 0.25, 0.1), (0.1, 0.25, 0.1)]
    means = [sum(hours(shards, *case, seed) for seed in range(20)) / 20 for case in cases]
    print(f"{shards:6}   {means[0]:5.2f}   {means[1]:12.2f}   {means[2]:19.2f}   {means[3]:4.2f}   {means[4]:22.2f}")
