#!/usr/bin/python3
"""The public half of the two-script design rockdove replaces: aiohttp for callers, websockets for agents."""
import asyncio
import json
import os
import uuid

import websockets
from aiohttp import web

HTTP_PORT = int(os.environ.get("TWO_SCRIPT_HTTP", 8080))
WS_PORT = int(os.environ.get("TWO_SCRIPT_WS", 8081))
TUNED = os.environ.get("TWO_SCRIPT_TUNED") == "1"
WS_OPTIONS = {"compression": None, "max_size": None} if TUNED else {}  # {}: the library's defaults
HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "content-length", "content-encoding", "te",
       "trailer", "proxy-authenticate", "proxy-authorization"}  # fmt: skip
client = None
pending = {}


async def ws_handler(ws):
    global client
    client = ws
    print("agent connected", flush=True)
    try:
        async for message in ws:
            data = json.loads(message)
            future = pending.pop(data["id"], None)
            if future and not future.done():
                future.set_result(data)
    except websockets.ConnectionClosed as error:
        print("agent gone", error, flush=True)
    finally:
        if client is ws:
            client = None


async def handle(request):
    if client is None:
        return web.Response(status=503, text="No client connected")
    request_id = str(uuid.uuid4())
    future = asyncio.get_running_loop().create_future()
    pending[request_id] = future
    body = await request.text()
    try:
        await client.send(json.dumps({"id": request_id, "method": request.method, "path": request.path_qs,
                                      "headers": dict(request.headers), "body": body}))  # fmt: skip
        data = await asyncio.wait_for(future, timeout=30)
    except asyncio.TimeoutError:
        return web.Response(status=504, text="Gateway timeout")
    except (websockets.ConnectionClosed, AttributeError):
        return web.Response(status=502, text="Tunnel closed")
    finally:
        pending.pop(request_id, None)
    headers = {name: value for name, value in data["headers"].items() if name.lower() not in HOP}
    return web.Response(status=data["status"], headers=headers, body=data["body"].encode())


async def main():
    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", HTTP_PORT, backlog=1024).start()
    async with websockets.serve(ws_handler, "127.0.0.1", WS_PORT, **WS_OPTIONS):
        await asyncio.Future()


asyncio.run(main())
