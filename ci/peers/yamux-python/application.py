"""py-libp2p's yamux behind the application that `relaylab conformance yamux` wants: `serve PORT` or `call PORT`.

The first line of a stream is a command (harness/conformance/suites/yamux/application.ts). The muxer alone, over a TCP connection:
what py-libp2p agrees upon before (security, protocol names) is not part of yamux.
"""

import logging
import sys

import trio
from libp2p.io.trio import TrioTCPStream
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.peer.id import ID
from libp2p.stream_muxer.exceptions import MuxedConnError, MuxedConnUnavailable, MuxedStreamEOF, MuxedStreamError
from libp2p.stream_muxer.yamux.yamux import Yamux

PIECE = 65_536


async def pieces(stream, early=b""):
    """What comes until the other end's FIN."""
    if early:
        yield early
    while True:
        try:
            data = await stream.read(PIECE)
        except MuxedStreamEOF:
            return
        yield data


async def drain(stream):
    try:
        async for _ in pieces(stream):
            pass
    except MuxedStreamError:
        pass


async def send(stream, count):
    for at in range(0, count, PIECE):
        await stream.write(bytes(i % 251 for i in range(at, min(at + PIECE, count))))
    await stream.close()


async def obey(muxer, stream, nursery):
    head = b""
    while b"\n" not in head:
        head += await stream.read(PIECE)
    line, early = head.split(b"\n", 1)
    word, count = (line.split() + [b"0"])[:2]
    if word == b"echo":
        async for data in pieces(stream, early):
            await stream.write(data)
        await stream.close()
    elif word == b"sink":
        taken = 0
        async for data in pieces(stream, early):
            taken += len(data)
        await stream.write(b"%d\n" % taken)
        await stream.close()
    elif word == b"send":
        nursery.start_soon(drain, stream)
        await send(stream, int(count))
    elif word == b"open":
        for _ in range(int(count)):
            opened = await muxer.open_stream()
            await opened.write(b"opened\n")
            await opened.close()
            nursery.start_soon(drain, opened)
        await stream.write(b"ok\n")
        await stream.close()
    elif word != b"hold":
        await stream.close()


async def obey_quietly(muxer, stream, nursery):
    try:
        await obey(muxer, stream, nursery)
    except (MuxedStreamError, MuxedStreamEOF, MuxedConnError):
        pass  # the stream or the session is over, which is the other end's to see


async def run(socket, initiator):
    socket.setsockopt(trio.socket.IPPROTO_TCP, trio.socket.TCP_NODELAY, 1)
    connection = RawConnection(TrioTCPStream(socket), initiator)
    muxer = Yamux(connection, ID(b"peer"), is_initiator=initiator)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(muxer.start)
        await muxer.event_started.wait()
        try:
            while True:
                stream = await muxer.accept_stream()
                nursery.start_soon(obey_quietly, muxer, stream, nursery)
        except MuxedConnUnavailable:
            nursery.cancel_scope.cancel()


async def main():
    logging.disable()
    how, port = sys.argv[1], int(sys.argv[2])
    if how == "serve":
        await trio.serve_tcp(lambda socket: run(socket, False), port, host="127.0.0.1")
    else:
        await run(await trio.open_tcp_stream("127.0.0.1", port), True)


trio.run(main)
