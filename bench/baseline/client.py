#!/usr/bin/python3
"""The local half of the two-script design rockdove replaces: websockets outwards, aiohttp to the upstream."""
import asyncio
import json
import os

import aiohttp
import websockets

URI = os.environ.get("TWO_SCRIPT_URI", "ws://127.0.0.1:8081")
LOCAL = os.environ.get("TWO_SCRIPT_LOCAL", "http://127.0.0.1:5000")
TUNED = os.environ.get("TWO_SCRIPT_TUNED") == "1"
WS_OPTIONS = {"compression": None, "max_size": None} if TUNED else {}  # {}: the library's defaults
SKIP = {"host", "content-length", "connection", "transfer-encoding"}


async def handle(ws, session, message):
    data = json.loads(message)
    headers = {name: value for name, value in data["headers"].items() if name.lower() not in SKIP}
    try:
        async with session.request(data["method"], LOCAL + data["path"], data=data["body"].encode() or None,
                                   allow_redirects=False, headers=headers) as response:  # fmt: skip
            body = (await response.read()).decode("utf-8", "replace")
            reply = {"id": data["id"], "status": response.status, "headers": dict(response.headers),
                     "body": body}  # fmt: skip
    except Exception as error:
        reply = {"id": data["id"], "status": 502, "headers": {}, "body": str(error)}
    try:
        await ws.send(json.dumps(reply))
    except websockets.ConnectionClosed:
        pass


async def main():
    backoff = 1
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with websockets.connect(URI, **WS_OPTIONS) as ws:
                    print("connected", flush=True)
                    backoff = 1
                    async for message in ws:
                        asyncio.create_task(handle(ws, session, message))
            except Exception as error:
                print("lost:", error, flush=True)
            print("retry in", backoff, flush=True)
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, 60)


asyncio.run(main())
