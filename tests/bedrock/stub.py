#!/usr/bin/env python3
"""A stub of Amazon Bedrock on the wire: Converse, ConverseStream, CountTokens, InvokeModel and GetInferenceProfile.

The model id picks what happens (cases.py lists it). Requests are checked against AWS's own service model and must be signed, or carry
the bearer key; see signature.py for the credentials. GET /_stub/requests tells what came, POST /_stub/reset forgets it, POST /_stub/failing/30 lets
30 of a hundred requests for `stub.failing…` fail from then on.

Prints `ready http://127.0.0.1:PORT` and nothing of any request. Ends on SIGTERM or SIGINT.
"""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

import places
from ledger import Ledger
from server import Server
from service import Service
from service_model import load
from signature import Door


async def run(options):
    ledger = Ledger(options.keep)
    server = Server(Service(load(options.model), Door(), ledger, options.seed), ledger)
    port = await server.start(options.port)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if options.port_file:
        # Whoever waits for the file finds it whole.
        draft = Path(f"{options.port_file}.new")
        draft.write_text(f"{port}\n")
        os.replace(draft, options.port_file)
    print(f"ready http://127.0.0.1:{port}", flush=True)
    await stop.wait()
    await server.stop()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--model", type=Path, default=places.BEDROCK, help="folder of AWS's service models; without it those of the installed botocore")
    options.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options.add_argument("--port-file", help="where to write the port when listening")
    options.add_argument("--seed", type=int, default=1, help="of the flaky cases")
    options.add_argument("--keep", type=int, default=200, help="how many of the last bodies to keep")
    options = options.parse_args()
    if not options.model.is_dir() and options.model != places.BEDROCK:
        print(f"no service models in {options.model}; --model says where they are", file=sys.stderr)
        return 2
    asyncio.run(run(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
