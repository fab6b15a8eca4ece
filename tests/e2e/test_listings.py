"""Listings that are damaged on their way: each style of pages with each kind of damage. No row is lost in silence:
either all rows are there, or the run ends with exit code 3, says why the listing ended, and names what is missing.

Each style with each kind of damage is an endpoint of one of a few runs. What goes wrong is printed as a table.
"""

import contextlib
import csv
import http.server
import json
import os
import threading
import urllib.parse

import harness
from harness import check, check_equal, scratch

COUNT, SIZE = 13, 3  # records of a listing, and of a page: 3, 3, 3, 3, 1
PAGES = 5
MIDDLE = 2  # the page that is damaged, from 0; the last one is PAGES - 1
ENDPOINTS_MAX = 256  # of a job


class Style:
    """How a listing is paged. `pages` as a job has it; `position` finds the page (from 0) of a request, `frame` is
    what its answer has beside the records, `link` its Link header."""

    def __init__(self, pages, position, frame, link=None, **endpoint):
        self.pages, self.position, self.frame, self.link = pages, position, frame, link
        self.endpoint = endpoint
        text = json.dumps(pages)
        self.has_total = '"total"' in text
        self.is_graphql = endpoint.get("method") == "POST"
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
    "auto-cursor": Style("auto", by_next_cursor, lambda a, p, last: {"next_cursor": None if last else f"c{p + 1}"}),
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
    return body["data"] if ask.style.is_graphql else body


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
        style, _, damage = parts.path.strip("/").partition("/")
        self.style, self.damage = STYLES.get(style), int(damage or 0)
        self.total = COUNT

    def records(self, page):
        first = round(page * SIZE)
        return [{"id": n, "name": f"record {n}"} for n in range(first, min(first + SIZE, self.total_there))]


class Server(http.server.ThreadingHTTPServer):
    """Answers /STYLE/NUMBER, the number of a damage in `damages`."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, damages):
        super().__init__(("127.0.0.1", 0), Handler)
        self.damages, self.damaged, self.asked = damages, set(), {}
        self.lock = threading.Lock()
        self.base = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def answer(self, ask):
        """(status, body, Link header)"""
        name, style, page = ask.path, ask.style, ask.style.position(ask)
        damage = self.damages[ask.damage]
        with self.lock:
            asked = self.asked[name] = self.asked.get(name, 0) + 1
        ask.total_there = COUNT
        if damage.total == "growing":  # a record comes with each of the first pages that are asked for
            ask.total_there = ask.total = COUNT + min(asked, 3) - 1
        elif damage.total is not None:
            ask.total = damage.total
        records, last = ask.records(page), round(page * SIZE) + SIZE >= ask.total_there
        if not records and style is STYLES["number-404"]:
            return 404, {"detail": "Invalid page."}, None
        body = {"items": records, **style.frame(ask, page, last)}
        body = {"data": body} if style.is_graphql else body
        with self.lock:
            hit = damage.body and page == damage.page and not (damage.once and name in self.damaged)
            if hit:
                self.damaged.add(name)
        if hit:
            body = damage.body(ask, page, body)
        return 200, body, style.link(ask, page, last) if style.link else None

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


@contextlib.contextmanager
def serve(server):
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


# --- runs --------------------------------------------------------------------------------------------


def ids_of(path):
    """The ids of a table, in its order."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return [row.get("id", "") for row in csv.DictReader(file)]


def run_job(name, job):
    """The end of a run that may have lost rows, and where its tables are."""
    path, run_dir = scratch(name + ".json"), scratch(name + ".run")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"name": name, "output": ["csv"], "pace": {"cap": 64},
                   "retry": {"attempts": 3, "backoff": "2ms:4ms"}, **job}, file)
    ended = harness.run("run", "-o", run_dir, "--json", path)
    check(ended.code in (0, 3), f"{name}: exit code", ended)
    return ended, run_dir


def run_all(number, names):
    """(damage, style) -> the account and the ids of its listing; and the exit code of all of them."""
    cells = [(name, style) for name in names for style in STYLES]
    with serve(Server([DAMAGES[name] for name in names])) as server:
        endpoints = [{"name": f"{style}-{names.index(name)}", "url": f"/{style}/{names.index(name)}",
                      "records": "/items", **STYLES[style].endpoint, "pages": STYLES[style].pages}
                     for name, style in cells]
        ended, run_dir = run_job(f"job{number}", {"base": server.base, "endpoints": endpoints})
    accounts = {endpoint["name"]: endpoint for endpoint in ended.report()["endpoints"]}
    return ended.code, {cell: (accounts[e["name"]], ids_of(os.path.join(run_dir, e["name"] + ".csv")))
                        for cell, e in zip(cells, endpoints)}


def is_told(account):
    """The report says that records are missing, or may be."""
    pages = account["pages"]
    return pages["cut"] or pages["missing_count"] > 0 or pages["records_missing"] > 0


def fault_of(style, damage, account, ids):
    """What is wrong with how a listing ended; empty when nothing is."""
    pages, want, told = account["pages"], damage.whole(STYLES[style]), is_told(account)
    count = COUNT + (2 if damage.total == "growing" else 0)
    whole = set(ids) >= {str(n) for n in range(COUNT)} and len(ids) == len(set(ids)) <= count
    if pages["ended"] in ("open", "other"):
        return f"no reason: {pages}"
    if want is True and (not whole or told):
        return f"not whole: {len(ids)} rows, ended by {pages['ended']}, told: {told}"
    if want is False and not told:
        return f"{'TOLD OF NOTHING' if whole else 'LOST IN SILENCE'}: {len(ids)} rows, ended by {pages['ended']}"
    if told and not (pages["missing"] or account["notes"]):
        return f"nothing is named: {account}"
    return ""


def groups():
    """The kinds of damage, so few at once that a job may have an endpoint for each style; first those by which
    nothing at all is lost."""
    harmless = [n for n, d in DAMAGES.items() if all(d.whole(s) for s in STYLES.values())]
    harmful = [n for n in DAMAGES if n not in harmless]
    size = ENDPOINTS_MAX // len(STYLES)
    for names in harmless, harmful:
        yield from (names[i:i + size] for i in range(0, len(names), size))


def test_listings__lose_no_row_in_silence__whatever_is_damaged():
    faults = []
    for number, names in enumerate(groups()):
        code, cells = run_all(number, names)
        for (name, style), (account, ids) in cells.items():
            fault = fault_of(style, DAMAGES[name], account, ids)
            if fault:
                faults.append(f"{name:26} {style:14} {fault}")
        if code != (3 if any(is_told(account) for account, _ in cells.values()) else 0):
            faults.append(f"exit code {code} of {names}")
    check(not faults, "\n" + "\n".join(faults))


def test_page__that_came_empty_in_the_middle__comes_by_the_command_that_the_end_tells():
    with serve(Server([DAMAGES["page empty"]])) as server:
        job = {"base": server.base, "endpoints": [
            {"name": "t", "url": "/number/0", "records": "/items", "pages": STYLES["number"].pages}]}
        ended, run_dir = run_job("empty-middle", job)
        said = f"scrapetop: ask all pages anew with: scrapetop run --again -o {run_dir}".encode()
        check(ended.code == 3 and said in ended.err, "the first run tells how to go on:", ended)
        server.damages[0] = DAMAGES["nothing"]
        ended = harness.run("run", "--again", "-o", run_dir)
        check(ended.code == 0 and b"ask all pages anew" not in ended.err, "asked anew:", ended)
        check_equal(ids_of(os.path.join(run_dir, "t.csv")), [str(n) for n in range(COUNT)], "ids")


def test_page__that_had_no_records__is_asked_again_by_its_class():
    with serve(Server([DAMAGES["error"], DAMAGES["error"]])) as server:
        for number, again in enumerate((["--only-failed", "--class", "no-records"], ["--only-missing"])):
            name, server.damages[number] = f"again{number}", DAMAGES["error"]
            job = {"base": server.base, "endpoints": [
                {"name": "t", "url": f"/cursor/{number}", "records": "/items", "pages": STYLES["cursor"].pages}]}
            ended, run_dir = run_job(name, job)
            check(ended.code == 3 and b"missing page=3" in ended.err, "the first run:", ended)
            check_equal([f["class"] for f in ended.report()["failures"]], ["no-records"], "classes of failures")
            server.damages[number] = DAMAGES["nothing"]
            harness.run("run", "-o", run_dir, "--plain", *again, scratch(name + ".json"))
            harness.succeed("run", "-o", run_dir, "--plain", scratch(name + ".json"))
            check_equal(ids_of(os.path.join(run_dir, "t.csv")), [str(n) for n in range(COUNT)], "rows")
            status = json.loads(harness.succeed("status", "--json", run_dir).out)["endpoints"][0]
            check_equal((status["ended"], status["records"]), ("no-cursor", COUNT), "end and records by status")


# --- what an answer may show ---------------------------------------------------------------------------

# The first answer to /N, which has 2 of 6 records, beside what it tells. By none of these is the first page all.
SHOWN = [
    {"exceededTransferLimit": True}, {"offset": 0, "limit": 2}, {"page": 1, "per_page": 2}, {"total": 6},
    {"paging": {"next": {"after": "2"}}}, {"links": [{"rel": "next", "href": "/0?offset=2"}]},
    {"link": [{"relation": "next", "url": "/0?offset=2"}]}, {"after": "2"}, {"continue": {"after": "2", "c": "x"}},
    {"numberMatched": 6, "numberReturned": 2}, {"@odata.nextLink": "/0?offset=2"}, {"next_page_token": "2"},
    {"meta": {"cursor": "2"}}, {"has_more": True}, {"isLast": False}, {"last_page": 3}, {"LastEvaluatedKey": {"a": 1}},
    {"pagination": {"next_offset": 2}}, {"next": {"href": "/0?offset=2"}}, {"truncated": True, "next": "/0?offset=2"},
]


class Shower(Server):
    def answer(self, ask):
        shown = SHOWN[int(ask.path.strip("/"))]
        numbers = [ask.query.get(n) for n in ("offset", "resultOffset", "after", "page_token", "cursor")]
        first = max([int(n) for n in numbers if n] + [2 * int(ask.query.get("page", 1)) - 2])
        items = [{"id": n} for n in range(first, min(first + 2, 6))]
        if first + 2 >= 6:
            return 200, {"items": items}, None
        text = json.dumps(shown).replace("/0?offset=2", f"{ask.path}?offset={first + 2}")
        for name in "after", "next_page_token", "cursor":
            text = text.replace(f'"{name}": "2"', f'"{name}": "{first + 2}"')
        return 200, {"items": items, **json.loads(text.replace('"next_offset": 2', f'"next_offset": {first + 2}'))}, None


def is_whole(table):
    return ids_of(table) == [str(i) for i in range(6)]


def probe_and_run(url, name):
    """Whether the job of a probe brings all records; None when the probe says that it does not know how."""
    ended = harness.run("probe", url)
    check(ended.code in (0, 3), f"probe {url}:", ended)
    if ended.code:
        return None
    path, run_dir = scratch(name + ".json"), scratch(name + ".run")
    with open(path, "wb") as file:
        file.write(ended.out)
    harness.run("run", "-o", run_dir, path)
    tables = [entry for entry in os.listdir(run_dir) if entry.endswith(".csv")]
    check_equal(len(tables), 1, f"tables of {url}")
    return is_whole(os.path.join(run_dir, tables[0]))


def test_auto__pages_or_says_that_it_cannot__when_an_answer_shows_more():
    faults = []
    with serve(Shower([])) as server:
        endpoints = [{"name": f"e{n}", "url": f"/{n}", "records": "/items", "pages": "auto"} for n in range(len(SHOWN))]
        ended, run_dir = run_job("auto", {"base": server.base, "endpoints": endpoints})
        for n, account in enumerate(ended.report()["endpoints"]):
            whole = is_whole(os.path.join(run_dir, f"e{n}.csv"))
            probed = probe_and_run(f"{server.base}/{n}", f"shown{n}")
            if whole == is_told(account) or (whole and probed is None) or probed is False:
                faults.append(f"{SHOWN[n]}: whole {whole}, {account['pages']}, by probe {probed}")
    check(not faults, "\n" + "\n".join(faults))
    check(ended.code == 3, "exit code of what cannot be paged:", ended)


if __name__ == "__main__":
    harness.main(globals())
