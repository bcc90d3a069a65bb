#!/usr/bin/env python3
"""Clients of `rlhf serve` that connect, begin something and drop at once, thousands of them: memory,
open files and threads must be afterwards what they were before.

    python3 bench/dropped_clients.py --binary build/release/bin/rlhf --model runs/demo/sft

They take turns to leave after nothing, half a head, half a body, a whole request, the request for a
stream of tokens, and its first event; every other one by a reset. Loopback only; ends by itself. Exit
code 1 when anything is left, or the server does not answer afterwards."""

import argparse
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

KINDS = 6


def request(method, path, token, body=None, length=None):
    text = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    if body is not None:
        text += f"Content-Type: application/json\r\nContent-Length: {length or len(body)}\r\n"
    return (text + "\r\n" + (body or "")).encode()


def begin_and_drop(port, token, number):
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    with client:
        kind = number % KINDS
        stream = json.dumps({"model": "rlhf", "prompt": f"the film {number}", "max_tokens": 64,
                             "stream": True})
        if kind == 1:
            client.sendall(b"GET /api/me HTTP/1.1\r\nHost: local")
        elif kind == 2:
            client.sendall(request("POST", "/api/votes", token, '{"request_id":', 4000))
        elif kind == 3:
            client.sendall(request("GET", "/api/progress", token))
        elif kind in (4, 5):
            client.sendall(request("POST", "/v1/completions", token, stream))
        if kind == 5:
            client.recv(4096)
        if number // KINDS % 2:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def drop_many(port, token, first, count, at_once):
    """How many could not connect or got no answer within ten seconds."""
    failures, lock = [], threading.Lock()

    def some(begin):
        for number in range(begin, first + count, at_once):
            try:
                begin_and_drop(port, token, number)
            except OSError as error:
                with lock:
                    failures.append(str(error))

    threads = [threading.Thread(target=some, args=(first + i,)) for i in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


class Server:
    def __init__(self, arguments, folder):
        call = [arguments.binary, "serve", "--model_name_or_path", arguments.model, "--data_dir",
                os.path.join(folder, "data"), "--runs_dir", os.path.join(folder, "runs"), "--port",
                str(arguments.port), "--rate_limit", "0"]
        self.process = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True)
        line = self.process.stdout.readline()
        if "#token=" not in line:
            sys.exit(f"dropped_clients: expected a link from the server, got {line!r}")
        self.address, self.token = line.strip().split("/#token=")
        self.port = int(self.address.rsplit(":", 1)[1])

    def get(self, path):
        asked = urllib.request.Request(self.address + path,
                                       headers={"Authorization": "Bearer " + self.token})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return answer.read().decode()

    def gauge(self, name):
        values = [line.rsplit(" ", 1)[1] for line in self.get("/metrics").splitlines()
                  if line.startswith(name + "{") or line.startswith(name + " ")]
        return sum(map(float, values))

    def is_quiet(self):
        """No request but the one that asks, here and in the engine."""
        return (self.gauge("rlhf_http_requests_running") <= 1 and
                self.gauge("rlhf_http_connections") <= 1 and
                self.gauge("rlhf_requests_running") + self.gauge("rlhf_requests_waiting") == 0)

    def measure(self):
        """Once it is quiet: what the process holds."""
        end = time.monotonic() + 60
        while not self.is_quiet() and time.monotonic() < end:
            time.sleep(0.2)
        place = f"/proc/{self.process.pid}"
        with open(place + "/status") as file:
            status = dict(line.split(":", 1) for line in file)
        return {"quiet": self.is_quiet(), "files": len(os.listdir(place + "/fd")),
                "threads": int(status["Threads"]),
                "mib": round(int(status["VmRSS"].split()[0]) / 1024, 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--clients", type=int, default=10000)
    parser.add_argument("--at_once", type=int, default=32)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(arguments, folder)
        # As many before: memory that is kept for later.
        drop_many(server.port, server.token, 0, arguments.clients, arguments.at_once)
        before = server.measure()
        begin = time.monotonic()
        failures = drop_many(server.port, server.token, arguments.clients, arguments.clients,
                             arguments.at_once)
        seconds = time.monotonic() - begin
        after = server.measure()
        begin = time.monotonic()
        health = json.loads(server.get("/health"))["status"]
        answered = time.monotonic() - begin
        server.process.terminate()
        code = server.process.wait(timeout=60)
    print(json.dumps({"clients": arguments.clients, "seconds": round(seconds, 1),
                      "failures": len(failures), "before": before, "after": after,
                      "health": health, "health_ms": round(answered * 1e3, 2), "exit_code": code}))
    for failure in sorted(set(failures))[:5]:
        print(failure, file=sys.stderr)
    good = (not failures and after["quiet"] and after["files"] <= before["files"] and
            after["threads"] <= before["threads"] and after["mib"] <= before["mib"] * 1.05 and
            health == "ok" and code == 0)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
