#!/usr/bin/env python3
"""Kills a process that saves votes again and again, and counts what became of them.

Usage: bench/kill_votes.py STORE_WRITER [--kills 200] [--votes 100000] [--folder DIR]

STORE_WRITER is build/<name>/bin/store_writer. Kills at random times until there were so many kills
and so many acknowledged votes; each new process first sends again what had no answer. The last line
has the figures; the exit code is 1 when a vote was lost or doubled or the database is damaged.
"""
import argparse
import random
import re
import subprocess
import sys
import tempfile
import time


def kill_once(command, seconds):
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if writer.stdout.readline() != "ready\n":
        sys.exit("kill_votes: the writer did not start")
    time.sleep(seconds)
    writer.kill()
    writer.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store_writer")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--votes", type=int, default=100_000)
    parser.add_argument("--folder")
    args = parser.parse_args()
    chance = random.Random(1)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        files = [f"{folder}/votes.db", f"{folder}/log"]
        kills, acknowledged, begin = 0, 0, time.time()
        while kills < args.kills or acknowledged < args.votes:
            kill_once([args.store_writer, "vote", *files], chance.uniform(0.01, 1))
            kills += 1
            if kills % 20 == 0 or kills >= args.kills:
                check = subprocess.run([args.store_writer, "check", *files],
                                       capture_output=True, text=True)
                figures = check.stdout.strip().splitlines()[-1]
                print(f"{kills} kills: {figures}", flush=True)
                if check.returncode:
                    sys.exit(1)
                acknowledged = int(re.search(r"acknowledged (\d+)", figures)[1])
        print(f"{kills} kills in {time.time() - begin:.0f} s: {figures}")


main()
