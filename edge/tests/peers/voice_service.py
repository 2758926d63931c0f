"""A voice service on the Wyoming project's own library: it says every text as a tone of 0.8 s, and
prints the text."""

import argparse
import asyncio
import math
import struct

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.server import AsyncEventHandler, AsyncServer
from wyoming.tts import Synthesize

RATE = 22050


class Handler(AsyncEventHandler):
    async def handle_event(self, event):
        if not Synthesize.is_type(event.type):
            return True
        print(Synthesize.from_event(event).text, flush=True)
        form = {"rate": RATE, "width": 2, "channels": 1}
        await self.write_event(AudioStart(**form).event())
        for begin in range(0, RATE * 8 // 10, 1024):
            count = min(1024, RATE * 8 // 10 - begin)
            tone = [int(9000 * math.sin(n / 8)) for n in range(begin, begin + count)]
            audio = struct.pack(f"<{count}h", *tone)
            await self.write_event(AudioChunk(audio=audio, **form).event())
        await self.write_event(AudioStop().event())
        return True


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("uri")
    asyncio.run(AsyncServer.from_uri(parser.parse_args().uri).run(Handler))
