"""A recording session whose media go through rtpengine, which speaks ICE to the recorder.

Signals by hand: an offer is passed through rtpengine's ng protocol, which puts its own address and ICE candidates into it,
then sent in an INVITE; the answer goes back the same way. Then frames of PCMU are sent to rtpengine, and BYE.
"""

import argparse
import re
import socket
import struct
import sys
import time

FRAME = 160


def encode(value):
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, list):
        return b"l" + b"".join(encode(item) for item in value) + b"e"
    return b"d" + b"".join(encode(key) + encode(value[key]) for key in sorted(value)) + b"e"


def decode(data, at=0):
    if data[at:at + 1] == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1:end]), end + 1
    if data[at:at + 1] == b"l":
        at, items = at + 1, []
        while data[at:at + 1] != b"e":
            item, at = decode(data, at)
            items.append(item)
        return items, at + 1
    if data[at:at + 1] == b"d":
        at, found = at + 1, {}
        while data[at:at + 1] != b"e":
            key, at = decode(data, at)
            found[key.decode()], at = decode(data, at)
        return found, at + 1
    colon = data.index(b":", at)
    length = int(data[at:colon])
    return data[colon + 1:colon + 1 + length], colon + 1 + length


class Ng:
    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(5)
        self.socket.connect(("127.0.0.1", port))
        self.number = 0

    def ask(self, **fields):
        self.number += 1
        cookie = b"c%d" % self.number
        self.socket.send(cookie + b" " + encode({key.replace("_", "-"): value for key, value in fields.items()}))
        while True:
            answer = self.socket.recv(65536)
            if answer.startswith(cookie + b" "):
                break
        answer = decode(answer[len(cookie) + 1:])[0]
        if answer["result"] != b"ok":
            raise RuntimeError(f"rtpengine: {answer}")
        return answer.get("sdp", b"").decode()


class Sip:
    def __init__(self, local, server, call_id):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(5)
        self.socket.bind((local, 5060))
        self.local, self.server, self.call_id, self.to = local, server, call_id, ""
        self.target = f"sip:recorder@{server}"

    def send(self, method, number, body=""):
        lines = [
            f"{method} {self.target} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.local}:5060;branch=z9hG4bK{method}{number};rport",
            "Max-Forwards: 70",
            f"From: <sip:client@{self.local}>;tag=source",
            f"To: <sip:recorder@{self.server}>{self.to}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:client@{self.local}:5060>;+sip.src",
        ]
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body)}")
        self.socket.sendto(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), (self.server, 5060))

    def wait(self, number, method):
        while True:
            text = self.socket.recv(65536).decode()
            if not text.startswith("SIP/2.0 ") or f"CSeq: {number} {method}" not in text or text.startswith("SIP/2.0 1"):
                continue
            if not text.startswith("SIP/2.0 200"):
                raise RuntimeError(text)
            return text


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--local", required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--ng", type=int, required=True)
    parser.add_argument("--call-id", required=True)
    parser.add_argument("--frames", type=int, default=150)
    arguments = parser.parse_args()

    rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    rtp.bind((arguments.local, 50000))
    plain = (
        f"v=0\r\no=- 1 1 IN IP4 {arguments.local}\r\ns=-\r\nc=IN IP4 {arguments.local}\r\nt=0 0\r\n"
        "m=audio 50000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=label:1\r\na=sendonly\r\n")
    ng = Ng(arguments.ng)
    sip = Sip(arguments.local, arguments.server, arguments.call_id)
    names = {"call_id": arguments.call_id, "from_tag": "source"}
    offer = ng.ask(command="offer", sdp=plain, ICE="force", rtcp_mux=["offer"], replace=["origin", "session-connection"], **names)
    print("offered", len(re.findall("a=candidate", offer)), "candidates", flush=True)
    sip.send("INVITE", 1, offer)
    answer = sip.wait(1, "INVITE")
    tag = re.search(r"(?im)^To:.*;tag=([^\s;]+)", answer).group(1)
    sip.to = f";tag={tag}"
    sip.target = re.search(r"(?im)^Contact:\s*<([^>]+)>", answer).group(1)
    body = answer.split("\r\n\r\n", 1)[1]
    print("answered", len(re.findall("a=candidate", body)), "candidates", flush=True)
    sip.send("ACK", 1)
    ours = ng.ask(command="answer", sdp=body, to_tag=tag, ICE="remove", **names)
    port = int(re.search(r"m=audio (\d+)", ours).group(1))

    # What is sent before ICE has a path would be lost in rtpengine: that is not what this is about.
    time.sleep(2)
    begun = time.monotonic()
    for frame in range(arguments.frames):
        header = struct.pack("!BBHII", 0x80, 0, 1000 + frame, 160 * frame, 0x1234)
        rtp.sendto(header + bytes([frame % 100 + 1]) * FRAME, (arguments.local, port))
        time.sleep(max(0, begun + 0.02 * (frame + 1) - time.monotonic()))
    time.sleep(0.3)
    sip.send("BYE", 2)
    sip.wait(2, "BYE")
    ng.ask(command="delete", **names)
    print("sent", arguments.frames, "frames", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
