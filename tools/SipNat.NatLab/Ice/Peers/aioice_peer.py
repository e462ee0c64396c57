#!/usr/bin/python3
"""An ICE agent of another make (python3-aioice), with the arguments and the output of `NatLab ice`."""

import argparse
import asyncio
import json
import os
import time

import aioice

GLANCE = 0.005
MEDIA_INTERVAL = 0.02


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--role", choices=["controlling", "controlled"], required=True)
    parser.add_argument("--exchange", required=True)
    parser.add_argument("--bind")
    parser.add_argument("--stun")
    parser.add_argument("--turn")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--seconds", type=float, default=2)
    return parser.parse_args()


def server(text):
    if text is None:
        return None
    host, port = text.rsplit(":", 1)
    return host, int(port)


def tell(options, connection):
    path = os.path.join(options.exchange, options.role + ".1.sdp")
    with open(path + ".draft", "w") as file:
        file.write(f"a=ice-ufrag:{connection.local_username}\na=ice-pwd:{connection.local_password}\n")
        for candidate in connection.local_candidates:
            file.write(f"a=candidate:{candidate.to_sdp()}\n")
    os.rename(path + ".draft", path)


async def hear(options, connection):
    peer = "controlled" if options.role == "controlling" else "controlling"
    path = os.path.join(options.exchange, peer + ".1.sdp")
    while not os.path.exists(path):
        await asyncio.sleep(GLANCE)
    for line in open(path).read().splitlines():
        name, _, value = line.removeprefix("a=").partition(":")
        if name == "ice-ufrag":
            connection.remote_username = value
        elif name == "ice-pwd":
            connection.remote_password = value
        elif name == "candidate":
            await connection.add_remote_candidate(aioice.Candidate.from_sdp(value))
    await connection.add_remote_candidate(None)


def say(what, **values):
    print(json.dumps({"event": what, **values}), flush=True)


async def receive(connection, counts):
    while True:
        await connection.recv()
        now = time.monotonic()
        if counts["last"] is not None:
            counts["gap"] = max(counts["gap"], now - counts["last"])
        counts["last"] = now
        counts["received"] += 1


async def main():
    options = arguments()
    connection = aioice.Connection(
        ice_controlling=options.role == "controlling",
        components=1,
        stun_server=server(options.stun),
        turn_server=server(options.turn),
        turn_username=options.user,
        turn_password=options.password,
        use_ipv6=False,
    )
    await connection.gather_candidates()
    tell(options, connection)
    await hear(options, connection)
    begun = time.monotonic()
    try:
        await connection.connect()
    except ConnectionError:
        say("failed", ms=(time.monotonic() - begun) * 1000)
        return
    pair = connection._nominated[1]
    say("connected", ms=round((time.monotonic() - begun) * 1000, 1), local=pair.local_candidate.type, remote=pair.remote_candidate.type)
    counts = {"received": 0, "last": None, "gap": 0.0}
    receiver = asyncio.ensure_future(receive(connection, counts))
    sent = 0
    end = time.monotonic() + options.seconds
    try:
        while time.monotonic() < end:
            await connection.send(b"\x80" + bytes(171))
            sent += 1
            await asyncio.sleep(MEDIA_INTERVAL)
    except ConnectionError:
        say("lost")
    receiver.cancel()
    say("summary", sent=sent, received=counts["received"], longestGapMs=round(counts["gap"] * 1000, 1))
    await connection.close()


asyncio.run(main())
