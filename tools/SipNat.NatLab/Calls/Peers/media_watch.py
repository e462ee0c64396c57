"""Prints when audio comes and goes at an interface: one line for each RTP source and direction when its first packet is
seen and whenever it goes on after a pause, and one when it has paused. Times are of the machine's monotonic clock.

RTP is taken from UDP as it is and out of TURN's ChannelData, also over TCP where a segment begins with one.
"""

import select
import socket
import struct
import sys
import time

PAUSE = 0.3
AUDIO = {0, 8, 9, 11}
LEAST_PAYLOAD = 40


def rtp_of(payload):
    """The payload type and SSRC of audio in a payload; None for anything else."""
    if len(payload) > 4 and 0x40 <= payload[0] <= 0x4F:
        length = struct.unpack("!H", payload[2:4])[0]
        payload = payload[4:4 + length]
    if len(payload) < 12 + LEAST_PAYLOAD or payload[0] >> 6 != 2 or payload[1] & 0x7F not in AUDIO:
        return None
    return payload[1] & 0x7F, struct.unpack("!I", payload[8:12])[0]


def packet_of(frame):
    """Source, destination and payload of a UDP or TCP packet of IPv4; None for anything else."""
    if len(frame) < 20 or frame[0] >> 4 != 4:
        return None
    header = (frame[0] & 15) * 4
    frame = frame[:struct.unpack("!H", frame[2:4])[0]]
    segment = frame[header:]
    if frame[9] == socket.IPPROTO_UDP and len(segment) >= 8:
        payload = segment[8:]
    elif frame[9] == socket.IPPROTO_TCP and len(segment) >= 20:
        payload = segment[(segment[12] >> 4) * 4:]
    else:
        return None
    ports = struct.unpack("!HH", segment[:4])
    source, target = socket.inet_ntoa(frame[12:16]), socket.inet_ntoa(frame[16:20])
    return f"{source}:{ports[0]}", f"{target}:{ports[1]}", payload


def main():
    watched = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
    watched.bind((sys.argv[1], 3))
    last, count = {}, {}
    print("watching", flush=True)
    while True:
        readable, _, _ = select.select([watched], [], [], 0.1)
        now = time.clock_gettime(time.CLOCK_MONOTONIC)
        for key in [key for key in last if now - last[key] > PAUSE]:
            print("paused", *key, f"{last.pop(key):.4f}", count.pop(key), flush=True)
        if not readable:
            continue
        frame, address = watched.recvfrom(4096)
        packet = packet_of(frame)
        audio = packet and rtp_of(packet[2])
        if not audio:
            continue
        way = "out" if address[2] == socket.PACKET_OUTGOING else "in"
        key = (way, packet[0], packet[1], audio[0], audio[1])
        if key not in last:
            print("began", *key, f"{now:.4f}", 0, flush=True)
            count[key] = 0
        last[key] = now
        count[key] += 1


if __name__ == "__main__":
    main()
