"""Job files against the embedded API: each way of paging, each kind of login, the sample jobs; every
table row for row as a plain client sees the API.
"""

import os

import harness
import jobs
from harness import check, check_equal, scratch
from jobs import ask

COUNT = 47  # items of a listing in pages of ten: the last page is not full
LOGIN = {"email": "demo@example.com", "password": "demo"}


def all_items(server):
    return ask(f"{server.url}/list/offset?size=1000&count={COUNT}")[0]["items"]


def table_of(run_dir, name):
    return os.path.join(run_dir, name + ".csv")


# --- paging ----------------------------------------------------------------------------------------

# name: url, pages, records, requests that this takes
LISTINGS = {
    "offset": ("/list/offset?count=47", {"offset_param": "offset", "size": 10, "size_param": "size",
                                         "total": "/total"}, "/items", 5),
    "offset_without_total": ("/list/offset?count=47",
                             {"offset_param": "offset", "size": 10, "size_param": "size"}, "/items", 6),
    "has_more": ("/list/more?count=47&size=10", {"param": "page", "has_more": "/has_more"}, "/items", 5),
    "until_empty": ("/list/until-empty?count=47&size=10", {"param": "page"}, "", 6),
    "next_url": ("/list/next?count=47&size=10", {"next": "/paging/next"}, "/data", 5),
    "cursor": ("/list/cursor?count=47&size=10", {"cursor": "/meta/next", "param": "after"}, "/items", 5),
    "auto_offset": ("/list/offset?count=47&size=10&offset=0", "auto", "/items", 5),
    "auto_next": ("/list/next?count=47&size=10", "auto", "/data", 5),
}


def test_pages__give_every_row_once__however_they_are_told():
    with harness.api() as server:
        want = all_items(server)
        check_equal(len(want), COUNT, "items")
        for name, (url, pages, records, requests) in LISTINGS.items():
            endpoint = {"name": "items", "url": url, "pages": pages}
            if records:
                endpoint["records"] = records
            job = jobs.write_job(name, base=server.url, endpoints=[endpoint])
            report, _ = jobs.run(job)
            jobs.check_table(report["csv"], want)
            check_equal(report["requests"], requests, f"requests of {name}")


def test_pages__give_every_row_once__by_link_and_auto():
    with harness.api() as server:
        want = ask(f"{server.url}/posts?_start=0&_limit=100")[0]
        for page in range(1, 10):
            want += ask(f"{server.url}/posts?_start={page * 100}&_limit=100")[0]
        for kind in ("link", "auto"):
            job = jobs.write_job("posts_" + kind, base=server.url, endpoints=[
                {"name": "posts", "url": "/posts?_page=1&_limit=100", "pages": kind}])
            report, _ = jobs.run(job)
            jobs.check_table(report["csv"], want)
            check_equal(report["requests"], 10, f"requests by {kind}")


def test_pages__give_every_row_once__by_graphql():
    with harness.api() as server:
        body = {"query": "query($first: Int) { items { nodes { id } } }",
                "variables": {"first": 10, "count": COUNT, "after": None}}
        pages = {"cursor": "/data/items/pageInfo/endCursor", "param": "/variables/after",
                 "has_more": "/data/items/pageInfo/hasNextPage"}
        job = jobs.write_job("graphql", base=server.url, endpoints=[
            {"name": "items", "url": "/graphql", "method": "POST", "json": body, "pages": pages,
             "records": "/data/items/nodes"}])
        report, _ = jobs.run(job)
        jobs.check_table(report["csv"], all_items(server))
        check_equal(report["requests"], 5, "requests by GraphQL")


# kind: pages, exit code, rows
TRAPS = {
    "self": ({"next": "/next"}, 3, 20),  # by another URL the second time
    "back": ({"next": "/next"}, 3, 60),
    "elsewhere": ({"next": "/next"}, 3, 20),
    "scheme": ({"next": "/next"}, 3, 20),
    "same": ({"param": "page"}, 3, 20),
    "empty": ({"next": "/next"}, 0, 20),  # empty pages that name a next one: some APIs always do
    "cursor-crlf": ({"cursor": "/cursor", "param": "cursor"}, 3, 20),
    "cursor-number": ({"cursor": "/cursor", "param": "cursor"}, 0, 60),
}


def test_traps__end_and_are_told__when_a_listing_lies():
    with harness.api() as server:
        for kind, (pages, code, rows) in TRAPS.items():
            job = jobs.write_job(kind, base=server.url, endpoints=[
                {"name": "items", "url": "/traps/" + kind, "pages": pages, "records": "/items"}])
            report, run_dir = jobs.run(job, code=code)
            seen = {row["number"] for row in jobs.read_table(report["csv"])}
            check_equal(len(seen), rows, f"different rows of {kind}")


def test_trap__ends_at_its_limit__when_there_is_always_one_more():
    with harness.api() as server:
        job = jobs.write_job("forever", base=server.url, endpoints=[
            {"name": "items", "url": "/traps/forever", "pages": {"next": "/next", "max": 7},
             "records": "/items"}])
        report, run_dir = jobs.run(job, code=3)
        check_equal(len(jobs.read_table(report["csv"])), 140, "rows")
        check_equal(server.count(), 7, "requests")


# --- logins ----------------------------------------------------------------------------------------

LOGINS = {
    "bearer": ({"bearer": "${SECRET}"}, "token", "demo-token"),
    "basic": ({"basic": {"user": "demo", "password": "${SECRET}"}}, "basic", "demo"),
    "key_header": ({"key": "${SECRET}", "header": "X-Api-Key"}, "key", "demo-key"),
    "key_query": ({"key": "${SECRET}", "query": "api_key"}, "key", "demo-key"),
    "call": ({"url": "/api/auth/login", "json": {"email": LOGIN["email"], "password": "${SECRET}"}},
             "token", "demo"),
    "oauth2": ({"oauth2": {"url": "/oauth/token", "client_id": "demo-client",
                           "client_secret": "${SECRET}", "scope": "read"}}, "token", "demo-secret"),
}


def test_login__opens__in_each_of_its_kinds():
    with harness.api() as server:
        want = [ask(f"{server.url}/posts/{n}")[0] for n in range(1, 21)]
        for name, (login, door, secret) in LOGINS.items():
            job = jobs.write_job(name, base=server.url, login=login, vars={"id": "[1-20]"}, endpoints=[
                {"name": "posts", "url": f"/private/{door}/posts/{{id}}"}])
            report, run_dir = jobs.run(job, env={"SECRET": secret})
            jobs.check_table(report["csv"], want)
            check_equal(report["status"], {"200": 20}, f"answers by {name}")
            for path, data in harness.everything_in(run_dir).items():
                # "demo" alone is in every token of this API
                check(secret == "demo" or secret.encode() not in data, "secret of", name, "in", path)


def test_login__ends_with_5__when_it_cannot_be_had():
    with harness.api() as server:
        for name, (login, door, secret) in LOGINS.items():
            job = jobs.write_job("bad_" + name, base=server.url, login=login, vars={"id": "[1-200]"},
                                 endpoints=[{"name": "posts", "url": f"/private/{door}/posts/{{id}}"}])
            before = server.count()
            report, _ = jobs.run(job, code=5, env={"SECRET": "wrong-secret"})
            check_equal(report["ok"], 0, "ok")
            check(server.count() - before < 30, f"{server.count() - before} requests with a bad {name}")


def test_login__is_renewed_once__for_all_who_wait():
    uses = 100
    with harness.api("--token-uses", str(uses), "--latency", "20ms") as server:
        login, door, secret = LOGINS["call"]
        job = jobs.write_job("renew", base=server.url, login=login, vars={"id": "[1-1000]"},
                             endpoints=[{"name": "posts", "url": f"/private/{door}/posts/{{id}}"}])
        report, _ = jobs.run(job, "-c", "90", env={"SECRET": secret})
        check_equal((report["ok"], report["failed"], report["retried"]), (1000, 0, 0),
                    "ok, failed, retried")
        logins = [a for a in server.asked() if a.path == "/api/auth/login"]
        check_equal(len(logins), 1000 // uses, "logins")


def test_login__is_renewed_before_it_ends__without_a_refusal():
    life_s = 5  # asked anew when a tenth of it is left: longer than any machine keeps an answer back
    with harness.api("--token-life", f"{life_s}s", "--latency", "50ms") as server:
        login, door, secret = LOGINS["oauth2"]
        job = jobs.write_job("early", base=server.url, login=login, vars={"id": "[1-130]"},
                             endpoints=[{"name": "posts", "url": f"/private/{door}/posts/{{id}}"}])
        report, _ = jobs.run(job, "-c", "4", "--rate", "20/s", env={"SECRET": secret})
        check_equal(report["status"], {"200": 130}, "answers")
        asked = server.asked()
        logins = sum(a.path == "/oauth/token" for a in asked)
        took_s = (asked[-1].arrived_us - asked[0].arrived_us) / 1e6
        check(2 <= logins <= 2 + took_s / (0.8 * life_s), logins, "logins in", took_s, "s")


# --- the sample jobs -------------------------------------------------------------------------------


def run_sample(server, name, *more, env=None):
    return jobs.run(os.path.join(jobs.ASSETS, name + ".json"), "--base", server.url, *more, env=env)


def test_sample__maxsold():
    with harness.api() as server:
        report, _ = run_sample(server, "maxsold", "--rate", "off")
        want, auctions = [], []
        for auction in range(103293, 103323):
            items = ask(f"{server.url}/msapi/auctions/items?auctionid={auction}")[0]["items"]
            want += items
            auctions += [str(auction)] * len(items)
        jobs.check_table(report["csv"], want, auction=auctions)


def test_sample__viarail():
    with harness.api() as server:
        report, run_dir = run_sample(server, "viarail", "--every", "200ms", "--count", "5")
        rows = jobs.read_table(report["csv"])
        trains = ask(f"{server.url}/allData.json?tick=0")[0]
        # The demo's trains move at every second poll: the first, third and fifth are stored.
        check_equal(len(rows), 3 * len(trains), "rows")
        check_equal(len({row["_fetched_at"] for row in rows}), 3, "snapshots, each with its time")
        check(set(trains) <= {row["_key"] for row in rows}, "trains are missing")


def test_sample__catalog():
    with harness.api("--products", "230") as server:
        env = {"EMAIL": LOGIN["email"], "PASSWORD": LOGIN["password"]}
        report, run_dir = run_sample(server, "catalog", env=env)
        token = ask(f"{server.url}/api/auth/login", LOGIN)[0]["access_token"]
        bearer = {"Authorization": "Bearer " + token}
        products, reviews, skus = [], [], []
        for page in range(1, 6):
            products += ask(f"{server.url}/api/products?page={page}&per_page=50", **bearer)[0]["products"]
        for product in products:
            items = ask(f"{server.url}/api/products/{product['id']}/reviews", **bearer)[0]["items"]
            reviews += items
            skus += [product["sku"]] * len(items)
        jobs.check_table(table_of(run_dir, "products"), products)
        jobs.check_table(table_of(run_dir, "reviews"), reviews, **{"products.sku": skus})
        check_equal(report["requests"], 5 + 230, "requests")


def test_columns__are_picked_from_what_with_repeats__by_their_names():
    with harness.api() as server:
        job = jobs.write_job("picked", base=server.url, vars={"tag": ["x"], "n": "[3-4]"},
                             endpoints=[{"name": "posts", "url": "/posts/{n}?t={tag}",
                                         "with": ["tag", "n"]}],
                             tables={"posts": {"columns": ["tag", "id", "by=/userId"]}})
        report, _ = jobs.run(job)
        posts = [ask(f"{server.url}/posts/{n}")[0] for n in (3, 4)]
        check_equal(harness.read(report["csv"]).decode(), "tag,id,by\n" + "".join(
            f"x,{post['id']},{post['userId']}\n" for post in posts), "the table")


def test_sample__jsonplaceholder():
    with harness.api() as server:
        report, run_dir = run_sample(server, "jsonplaceholder")
        posts, comments = [], []
        for start in range(0, 1000, 100):
            posts += ask(f"{server.url}/posts?_start={start}&_limit=100")[0]
        for post in posts:
            comments += ask(f"{server.url}/posts/{post['id']}/comments")[0]
        jobs.check_table(table_of(run_dir, "posts"), posts)
        jobs.check_table(table_of(run_dir, "comments"), comments)


def issues(server):
    found = []
    for page in range(1, 4):
        found += ask(f"{server.url}/repos/a/b/issues?per_page=100&page={page}")[0]
    return found


def test_sample__link():
    with harness.api() as server:
        report, _ = run_sample(server, "link")
        want = issues(server)
        jobs.check_table(report["csv"], want + want,
                         repo=["curl/curl"] * len(want) + ["libuv/libuv"] * len(want))


def test_sample__graphql():
    with harness.api() as server:
        report, _ = run_sample(server, "graphql", env={"GITHUB_TOKEN": "gh-0badcafe"})
        want = [{"author" if name == "user" else name: value for name, value in issue.items()}
                for issue in issues(server)]
        jobs.check_table(report["csv"], want)


if __name__ == "__main__":
    harness.main(globals())
