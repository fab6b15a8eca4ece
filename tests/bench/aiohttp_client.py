"""The script that people write: aiohttp, a semaphore, a file for every body.

aiohttp_client.py URLS CAP DIRECTORY
"""

import asyncio
import sys

import aiohttp


async def fetch(session, slots, url, path):
    async with slots, session.get(url) as answer:
        answer.raise_for_status()
        body = await answer.read()
    with open(path, "wb") as file:
        file.write(body)


async def main(urls, cap, directory):
    slots = asyncio.Semaphore(cap)
    connector = aiohttp.TCPConnector(limit=cap)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(fetch(session, slots, url, f"{directory}/{number}")
                               for number, url in enumerate(urls)))


with open(sys.argv[1], encoding="ascii") as given:
    asyncio.run(main(given.read().split(), int(sys.argv[2]), sys.argv[3]))
