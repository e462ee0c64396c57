"""A recording session whose media find their way by python3-aioice, from every address of this host.

Signals by hand, over IPv4: the offer is in the INVITE, or with --late-offer the recorder's, and the answer in the ACK.
Then frames of PCMU are sent by the path that ICE has found, and BYE.
"""

import argparse
import asyncio
import re
import struct

import aioice

SECONDS = 15
FRAME = 160


class Sip(asyncio.DatagramProtocol):
    def __init__(self, local, server, call_id):
        self.local, self.server, self.call_id, self.to = local, server, call_id, ""
        self.received = asyncio.Queue()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.received.put_nowait(data.decode())

    def send(self, method, number, body=""):
        lines = [
            f"{method} sip:recorder@{self.server} SIP/2.0",
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
        self.transport.sendto(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), (self.server, 5060))

    async def wait(self, number, method):
        while True:
            text = await asyncio.wait_for(self.received.get(), SECONDS)
            if not text.startswith("SIP/2.0 ") or f"CSeq: {number} {method}" not in text or text.startswith("SIP/2.0 1"):
                continue
            if not text.startswith("SIP/2.0 200"):
                raise RuntimeError(text)
            return text


def describe(connection, components):
    rtp = connection.get_default_candidate(1)
    lines = [
        "v=0", f"o=- 1 1 IN IP4 {rtp.host}", "s=-", f"c=IN IP4 {rtp.host}", "t=0 0",
        f"m=audio {rtp.port} RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=label:1", "a=sendonly",
        f"a=ice-ufrag:{connection.local_username}", f"a=ice-pwd:{connection.local_password}",
    ]
    if components == 1:
        lines.append("a=rtcp-mux")
    else:
        rtcp = connection.get_default_candidate(2)
        lines.append(f"a=rtcp:{rtcp.port} IN IP4 {rtcp.host}")
    lines += [f"a=candidate:{candidate.to_sdp()}" for candidate in connection.local_candidates]
    return "\r\n".join(lines) + "\r\n"


async def hear(connection, sdp):
    connection.remote_username = re.search(r"a=ice-ufrag:(\S+)", sdp).group(1)
    connection.remote_password = re.search(r"a=ice-pwd:(\S+)", sdp).group(1)
    for candidate in re.findall(r"a=candidate:([^\r\n]+)", sdp):
        await connection.add_remote_candidate(aioice.Candidate.from_sdp(candidate))
    await connection.add_remote_candidate(None)


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--local", required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--call-id", required=True)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--late-offer", action="store_true")
    options = parser.parse_args()

    sip = Sip(options.local, options.server, options.call_id)
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: sip, local_addr=(options.local, 5060))
    # The recorder's own offer does not have RTP and RTCP share a port.
    components = 2 if options.late_offer else 1
    connection = aioice.Connection(ice_controlling=not options.late_offer, components=components)
    await connection.gather_candidates()
    ours = describe(connection, components)
    sip.send("INVITE", 1, "" if options.late_offer else ours)
    answer = await sip.wait(1, "INVITE")
    sip.to = ";tag=" + re.search(r"(?im)^To:.*;tag=([^\s;]+)", answer).group(1)
    sip.send("ACK", 1, ours if options.late_offer else "")
    await hear(connection, answer.split("\r\n\r\n", 1)[1])
    await asyncio.wait_for(connection.connect(), SECONDS)
    for frame in range(options.frames):
        header = struct.pack("!BBHII", 0x80, 0, 1000 + frame, FRAME * frame, 0x1234)
        await connection.sendto(header + bytes([frame % 100 + 1]) * FRAME, 1)
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.3)
    sip.send("BYE", 2)
    await sip.wait(2, "BYE")
    await connection.close()
    print("sent", options.frames, "frames", flush=True)


asyncio.run(main())
