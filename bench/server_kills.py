#!/usr/bin/env python3
"""Kills `rlhf serve` with SIGKILL again and again while people vote, and counts what it lost.

    python3 bench/server_kills.py --binary build/release/bin/rlhf --model runs/demo/sft --kills 200

Voters repeat a request that got no answer, with the same request_id, as the page does. Afterwards
every vote that was acknowledged must be in the database once, and no request_id twice. Loopback only;
ends by itself. Exit code 1 when a vote was lost or doubled."""

import argparse
import collections
import contextlib
import http.client
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import uuid


class Server:
    """The program, its port and its token, which outlive a kill."""

    def __init__(self, arguments, folder):
        self.folder = folder
        self.call = [arguments.binary, "serve", "--model_name_or_path", arguments.model, "--data_dir",
                     os.path.join(folder, "data"), "--runs_dir", os.path.join(folder, "runs"),
                     "--port", str(arguments.port), "--max_new_tokens", "4", "--ahead", "200",
                     "--prompts", os.path.join(folder, "prompts.jsonl")]
        self.port = arguments.port
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.call, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True)
        line = self.process.stdout.readline()
        if "#token=" not in line:
            sys.exit(f"server_kills: expected a link from the server, got {line!r}")
        self.token = line.strip().split("#token=")[1]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=30)

    def call_api(self, method, path, token, body=None, kind="application/json"):
        """Its status and JSON. Raises OSError or HTTPException when the server goes away."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Authorization": "Bearer " + token}
        if body is not None:
            headers["Content-Type"] = kind
            body = body if isinstance(body, str) else json.dumps(body)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text


class Voter(threading.Thread):
    def __init__(self, server, token, number, done):
        super().__init__(daemon=True)
        self.server, self.token, self.done = server, token, done
        self.random = random.Random(number)
        self.acknowledged, self.refused = [], 0

    def until_answered(self, path, body):
        while not self.done.is_set():
            try:
                return self.server.call_api("POST", path, self.token, body)
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
        return None, b""

    def run(self):
        while not self.done.is_set():
            status, text = self.until_answered("/api/comparisons/next", {})
            if status != 200 or b'"lease"' not in text:
                time.sleep(0.05)
                continue
            lease = json.loads(text)["lease"]
            vote = {"request_id": str(uuid.uuid4()), "lease": lease, "choice": "better",
                    "place": self.random.randrange(2), "milliseconds": 1}
            status, text = self.until_answered("/api/votes", vote)
            if status == 200 and json.loads(text).get("saved"):
                self.acknowledged.append(vote["request_id"])
            elif status is not None:
                self.refused += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--voters", type=int, default=8)
    parser.add_argument("--port", type=int, default=18080)
    parser.add_argument("--prompts", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "prompts.jsonl"), "w") as file:
            for i in range(arguments.prompts):
                file.write(json.dumps({"prompt": f"the film {i} was"}) + "\n")
        server = Server(arguments, folder)
        done = threading.Event()
        voters = []
        for i in range(arguments.voters):
            status, text = server.call_api("POST", "/api/people", server.token,
                                           {"name": f"voter {i}", "role": "annotator"})
            assert status == 201, text
            voters.append(Voter(server, json.loads(text)["token"], i, done))
        for voter in voters:
            voter.start()
        for kill in range(arguments.kills):
            time.sleep(draw.uniform(0.05, 0.6))
            server.kill()
            server.start()
            if (kill + 1) % 20 == 0:
                print(f"{kill + 1} kills, {sum(len(v.acknowledged) for v in voters)} votes",
                      file=sys.stderr)
        time.sleep(0.5)
        done.set()
        for voter in voters:
            voter.join()
        code = server.stop()
        with contextlib.closing(sqlite3.connect(os.path.join(folder, "data", "feedback.db"))) as db:
            stored = collections.Counter(row[0] for row in db.execute("SELECT request FROM votes"))
            damage = db.execute("PRAGMA integrity_check").fetchone()[0]
    acknowledged = [request for voter in voters for request in voter.acknowledged]
    lost = [request for request in acknowledged if request not in stored]
    doubled = [request for request, count in stored.items() if count > 1]
    print(json.dumps({"kills": arguments.kills, "acknowledged": len(acknowledged),
                      "stored": len(stored), "lost": len(lost), "doubled": len(doubled),
                      "refused": sum(v.refused for v in voters), "integrity": damage,
                      "exit_code": code}))
    return 1 if lost or doubled or code or damage != "ok" else 0


if __name__ == "__main__":
    sys.exit(main())
