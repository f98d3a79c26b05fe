"""A clock that is set back by an hour, and forward by a day, while runs are searched and recorded: order, durations and
whose a run is do not hang on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from support.shifted_clock import ShiftedClock

from engine.store import Store

HOUR, DAY = 3600, 24 * 3600
SEARCHING = """
import sys, time, json
from engine.runs.host import Host
from engine.runs.question import Question
from engine.search.params import RunParams
from engine.store import Store

with Store.open(sys.argv[1]) as store:
    host = Host(store)
    host.catalogue.load()
    def search(n, seed):
        return host.submit(Question("What is 18 * 19?", "342"), RunParams("beam_search", n=n, width=4, seed=seed))
    ids = []
    for seed in range(3):
        running = search(64, seed)  # the clock jumps while this one goes on
        print("begun", flush=True)
        sys.stdin.readline()
        running.future.result(timeout=120)
        short = search(4, seed)
        short.future.result(timeout=120)
        ids += [running.id, short.id]
    store.flush()
    print(json.dumps({"ids": ids, "now": time.time()}), flush=True)
    host.close()
"""


def test_runs_go_on_in_order_and_none_takes_an_hour(tmp_path: Path) -> None:
    clock, db = ShiftedClock(tmp_path), tmp_path / "runs.db"
    environment = clock.environment | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SEARCHING, str(db)]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin and process.stdout
        for shift in (-HOUR, DAY, -DAY):
            assert process.stdout.readline() == "begun\n"
            clock.set(shift)
            with Store.open(str(db)) as store:  # another process, whose clock is right, marks what is dead
                assert all(record.status != "interrupted" for record in store.runs())
            process.stdin.write("\n")
            process.stdin.flush()
        told = json.loads(process.stdout.readline())
        assert process.wait(timeout=60) == 0
    with Store.open(str(db)) as store:
        records = {record.id: record for record in store.runs()}
        assert sorted(records) == told["ids"], "ids rise as the runs began"
        for record in records.values():
            assert record.status == "done"
            assert 0 <= record.usage.wall_s < 300
            assert len(store.tree(record.id)) > 1
    dates = [records[run_id].created_at for run_id in told["ids"]]
    assert dates != sorted(dates), "the clock was not shifted"
