"""Listings that are damaged on their way: each style of pages with each kind of damage. No row is lost in silence:
either all rows are there, or the run ends with exit code 3, says why the listing ended, and names what is missing.

A run has one kind of damage and one endpoint for each style, so that the whole matrix takes some forty runs. What
goes wrong is printed as a table.
"""

import http.server
import json
import os
import threading
import urllib.parse

import harness
from harness import check, scratch

COUNT, SIZE = 13, 3  # records of a listing, and of a page: 3, 3, 3, 3, 1
PAGES = 5
MIDDLE = 2  # the page that is damaged, from 0; the last one is PAGES - 1


class Style:
    """How a listing is paged. `pages` as a job has it; `position` finds the page (from 0) of a request, `frame` is
    what its answer has beside the records, `link` its Link header."""

    def __init__(self, pages, position, frame, link=None, **endpoint):
        self.pages, self.position, self.frame, self.link = pages, position, frame, link
        self.endpoint = endpoint
        text = json.dumps(pages)
        self.has_total = '"total"' in text
        self.has_pages = '"total_pages"' in text
        # What it says of a page that it does not count: more by has_more, a cursor or URL for ever.
        self.kind = ("cursor" if "cursor" in text else "next" if "next" in text or "link" in text
                     else "offset" if "offset" in text else "number")


def by_page(ask):
    return int(ask.query.get("page", 1)) - 1


def by_offset(ask):
    return int(ask.query.get("offset", 0)) / SIZE


def by_cursor(ask):
    return int(ask.query.get("after", "c0")[1:])


def by_next_cursor(ask):
    return int(ask.query.get("cursor", "c0")[1:])


def by_variable(ask):
    after = ask.json["variables"]["after"]
    return int(after[1:]) if after else 0


def url_of(ask, page):
    return f"{ask.base}{ask.path}?page={page + 1}"


def next_link(ask, page, last):
    return None if last else f'<{url_of(ask, page + 1)}>; rel="next"'


def counted_link(ask, page, last):
    there = next_link(ask, page, last)
    return there and f'{there}, <{url_of(ask, PAGES - 1)}>; rel="last"'


STYLES = {
    "number": Style({"param": "page"}, by_page, lambda a, p, last: {}),
    "number-size": Style({"param": "page", "size": SIZE, "size_param": "n"}, by_page, lambda a, p, last: {}),
    "number-404": Style({"param": "page"}, by_page, lambda a, p, last: {}),
    "number-total": Style({"param": "page", "total": "/total"}, by_page, lambda a, p, last: {"total": a.total}),
    "number-pages": Style({"param": "page", "total_pages": "/pages"}, by_page,
                          lambda a, p, last: {"pages": -(-a.total // SIZE)}),
    "number-more": Style({"param": "page", "has_more": "/more"}, by_page, lambda a, p, last: {"more": not last}),
    "number-last": Style({"param": "page", "is_last": "/last"}, by_page, lambda a, p, last: {"last": last}),
    "offset": Style({"offset_param": "offset"}, by_offset, lambda a, p, last: {}),
    "offset-total": Style({"offset_param": "offset", "size": SIZE, "size_param": "n", "total": "/meta/total"},
                          by_offset, lambda a, p, last: {"meta": {"total": a.total}}),
    "offset-more": Style({"offset_param": "offset", "has_more": "/exceededTransferLimit"}, by_offset,
                         lambda a, p, last: {} if last else {"exceededTransferLimit": True}),
    "cursor": Style({"cursor": "/next", "param": "after"}, by_cursor,
                    lambda a, p, last: {"next": None if last else f"c{p + 1}"}),
    "cursor-more": Style({"cursor": "/next", "param": "after", "has_more": "/more"}, by_cursor,
                         lambda a, p, last: {"next": f"c{p + 1}", "more": not last}),
    "cursor-total": Style({"cursor": "/next", "param": "after", "total": "/total"}, by_cursor,
                          lambda a, p, last: {"next": f"c{p + 1}", "total": a.total}),
    "cursor-always": Style({"cursor": "/next", "param": "after"}, by_cursor,
                           lambda a, p, last: {"next": f"c{p + 1}"}),
    "graphql": Style({"cursor": "/data/end", "param": "/variables/after", "has_more": "/data/more"}, by_variable,
                     lambda a, p, last: {"end": f"c{p + 1}", "more": not last}, method="POST",
                     json={"query": "q", "variables": {"after": None}}, records="/data/items"),
    "next": Style({"next": "/next"}, by_page, lambda a, p, last: {"next": None if last else url_of(a, p + 1)}),
    "next-total": Style({"next": "/next", "total": "/total"}, by_page,
                        lambda a, p, last: {"next": url_of(a, p + 1), "total": a.total}),
    "link": Style("link", by_page, lambda a, p, last: {}, next_link),
    "link-last": Style("link", by_page, lambda a, p, last: {}, counted_link),
    "auto-next": Style("auto", by_page, lambda a, p, last: {"next": None if last else url_of(a, p + 1)}),
    "auto-cursor": Style("auto", by_next_cursor, lambda a, p, last: {"next_cursor": None if last else f"c{p + 1}"},
                         records=None),
    "auto-total": Style("auto", by_page, lambda a, p, last: {"page": p + 1, "total": a.total}),
}


# --- what may be damaged ---------------------------------------------------------------------------


class Damage:
    """`body(ask, page, body)` gives another body, or None for the right one. `once`: only the first time that the
    page is asked. `whole(style)`: True when all rows must be there, False when the loss must be told, None when
    nobody can tell that there is one."""

    def __init__(self, body, whole, once=False, total=None, page=MIDDLE):
        self.body, self.whole, self.once, self.total, self.page = body, whole, once, total, page


def error(ask, page, body):
    return {"error": {"code": 504, "message": "The request has timed out."}}


def graphql_error(ask, page, body):
    return {"data": None, "errors": [{"type": "INTERNAL", "message": "Something went wrong"}]}


def records_in(ask, body):
    return body["data"] if ask.style.endpoint.get("method") == "POST" else body


def replaced(value):
    def damage(ask, page, body):
        if value is None:
            del records_in(ask, body)["items"]
        else:
            records_in(ask, body)["items"] = value
        return body
    return damage


def error_beside_nothing(ask, page, body):
    records_in(ask, body)["items"] = []
    return {**body, "error": "internal failure 17"}


def cut(ask, page, body):
    return json.dumps(body)[:-9].encode()


def shortened(ask, page, body):
    records_in(ask, body)["items"].pop()
    return body


def repeated(ask, page, body):
    records_in(ask, body)["items"] = ask.records(MIDDLE - 1)
    return body


def stuck(ask, page, body):
    """The cursor, number or URL of the page itself."""
    frame = records_in(ask, body)
    for name, value in ask.style.frame(ask, page - 1, False).items():
        if isinstance(value, str):
            frame[name] = value
    return body


def always(style):
    return True


def never(style):
    return False


def tells_records(style):
    """Who tells a total shows what is missing; by number with a size a short page shows itself."""
    return False if style.has_total else None


def shows_short(style):
    if style.kind == "offset" and not style.has_total:
        return True  # the next page begins where this one ended
    if style.has_total or style.pages == STYLES["number-size"].pages:
        return False
    return None  # a cursor may give pages of any size


def shows_gap(style):
    if style.has_total:
        return False
    if style.kind == "number" and "param" in style.pages and not {"has_more", "is_last"} & set(style.pages):
        return False
    return None


def shows_repeat(style):
    return False


def stuck_ends(style):
    return None if style.kind in ("number", "offset") or style.link else False


DAMAGES = {
    "nothing": Damage(None, always),
    "error once": Damage(error, always, once=True),
    "error": Damage(error, never),
    "graphql error once": Damage(graphql_error, always, once=True),
    "graphql error": Damage(graphql_error, never),
    "error beside nothing once": Damage(error_beside_nothing, always, once=True),
    "error beside nothing": Damage(error_beside_nothing, never),
    "first page an error once": Damage(error, always, once=True, page=0),
    "first page an error": Damage(error, never, page=0),
    "last page an error once": Damage(error, always, once=True, page=PAGES - 1),
    "last page an error": Damage(error, never, page=PAGES - 1),
    "records absent once": Damage(replaced(None), always, once=True),
    "records absent": Damage(replaced(None), never),
    "records a text once": Damage(replaced("no such thing"), always, once=True),
    "records a text": Damage(replaced("no such thing"), never),
    "records a number": Damage(replaced(5), never),
    "records an error": Damage(replaced({"error": "no such thing"}), never),
    "body cut once": Damage(cut, always, once=True),
    "body cut": Damage(cut, never),
    "page shortened": Damage(shortened, shows_short),
    "page repeated": Damage(repeated, shows_repeat),
    "last page empty": Damage(replaced([]), tells_records, page=PAGES - 1),
    "page empty": Damage(replaced([]), shows_gap),
    "cursor stuck": Damage(stuck, stuck_ends),
    "total too high": Damage(None, tells_records, total=COUNT + 5),
    "total too low": Damage(None, always, total=COUNT - 5),
    "total too low by pages": Damage(None, always, total=2 * SIZE),
    "total growing": Damage(None, always, total="growing"),
}


# --- the server ------------------------------------------------------------------------------------


class Ask:
    """One request: of which style, and what is to be told."""

    def __init__(self, server, path, body):
        parts = urllib.parse.urlsplit(path)
        self.path, self.base = parts.path, server.base
        self.query = dict(urllib.parse.parse_qsl(parts.query))
        self.json = json.loads(body) if body else None
        self.style = STYLES[parts.path.strip("/")]
        self.total = COUNT

    def records(self, page):
        first = round(page * SIZE)
        return [{"id": n, "name": f"record {n}"} for n in range(first, min(first + SIZE, self.total_there))]


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, damage):
        super().__init__(("127.0.0.1", 0), Handler)
        self.damage, self.damaged, self.asked = damage, set(), {}
        self.lock = threading.Lock()
        self.base = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def answer(self, ask):
        """(status, body, Link header)"""
        name, damage, page = ask.path.strip("/"), self.damage, ask.style.position(ask)
        with self.lock:
            asked = self.asked[name] = self.asked.get(name, 0) + 1
        ask.total_there = COUNT
        if damage.total == "growing":  # a record comes with each of the first pages that are asked for
            ask.total_there = ask.total = COUNT + min(asked, 3) - 1
        elif damage.total is not None and (ask.style.has_total or ask.style.has_pages or name == "auto-total"):
            ask.total = damage.total
        records, last = ask.records(page), round(page * SIZE) + SIZE >= ask.total_there
        if not records and name == "number-404":
            return 404, {"detail": "Invalid page."}, None
        frame = ask.style.frame(ask, page, last)
        body = ({"data": {"items": records, **frame}} if ask.style.endpoint.get("method") == "POST"
                else {"items": records, **frame})
        with self.lock:
            hit = damage.body and page == damage.page and not (damage.once and name in self.damaged)
            if hit:
                self.damaged.add(name)
        if hit:
            body = damage.body(ask, page, body)
        link = ask.style.link(ask, page, last) if ask.style.link else None
        return 200, body, link

    def handle_error(self, *_):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, answer, link = self.server.answer(Ask(self.server, self.path, body))
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if link:
            self.send_header("Link", link)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do

    def log_message(self, *_):
        pass


# --- runs --------------------------------------------------------------------------------------------


def ids_of(path):
    """The ids of a table, in its order."""
    import csv
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return [row.get("id", "") for row in csv.DictReader(file)]


def run_with(name, damage):
    """style -> what came of its listing, and the exit code of all."""
    server = Server(damage)
    try:
        endpoints = [{"name": style, "url": "/" + style, "records": "/items", **STYLES[style].endpoint,
                      "pages": STYLES[style].pages} for style in STYLES]
        for endpoint in endpoints:
            if endpoint["records"] is None:
                endpoint["records"] = "/items"
        path, run_dir = scratch("job.json"), scratch("job.run")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"name": "job", "base": server.base, "endpoints": endpoints, "output": ["csv"],
                       "pace": {"cap": 16}, "retry": {"attempts": 3, "backoff": "2ms:4ms"}}, file)
        ended = harness.run("run", "-o", run_dir, "--json", "--fresh", path)
        check(ended.code in (0, 3), f"{name}: exit code", ended)
        report = ended.report()
    finally:
        server.shutdown()
        server.server_close()
    tables = {style: ids_of(os.path.join(run_dir, style + ".csv")) for style in STYLES}
    accounts = {endpoint["name"]: endpoint for endpoint in report["endpoints"]}
    return ended, accounts, tables


def fault_of(style, damage, account, ids):
    """What is wrong with how a listing ended; empty when nothing is."""
    pages, want = account["pages"], damage.whole(STYLES[style])
    told = pages["cut"] or pages["missing_count"] > 0 or pages["records_missing"] > 0
    count = COUNT + (2 if damage.total == "growing" else 0)
    whole = set(ids) >= {str(n) for n in range(COUNT)} and len(ids) == len(set(ids)) <= count
    named = pages["missing"] or account["notes"] or account["failed"]
    if pages["ended"] in ("open", "other"):
        return f"no reason: {pages}"
    if want is True and (not whole or told):
        return f"not whole: {len(ids)} rows, ended by {pages['ended']}, told: {told}"
    if want is False and not told and not whole:
        return f"LOST IN SILENCE: {len(ids)} rows, ended by {pages['ended']}"
    if want is False and not told:
        return f"rows are there, but what was wrong is not told: ended by {pages['ended']}"
    if told and not named:
        return f"nothing is named: {account}"
    return ""


def test_listings__lose_no_row_in_silence__whatever_is_damaged():
    faults = []
    for name, damage in DAMAGES.items():
        ended, accounts, tables = run_with(name, damage)
        for style in STYLES:
            fault = fault_of(style, damage, accounts[style], tables[style])
            if fault:
                faults.append(f"{name:28} {style:14} {fault}")
        lost = any(a["failed"] or a["pages"]["cut"] or a["pages"]["missing_count"] or a["pages"]["records_missing"]
                   for a in accounts.values())
        if ended.code != (3 if lost else 0):
            faults.append(f"{name:28} {'':14} exit code {ended.code}")
    check(not faults, "\n" + "\n".join(faults))


if __name__ == "__main__":
    harness.main(globals())
