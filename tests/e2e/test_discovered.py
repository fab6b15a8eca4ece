"""Pages that never come are named, at the end of the run and by `status`."""

import json

import harness
from harness import check, check_equal, scratch

PAGES = 12
SIZE = 20


def write_job(base, name):
    path = scratch(name)
    job = {
        "name": "catalog",
        "base": base,
        "login": {"url": "/api/auth/login", "token": "/access_token",
                  "json": {"email": "demo@example.com", "password": "${PASSWORD}"}},
        "endpoints": [{"name": "products", "url": "/api/products", "records": "/products",
                       "pages": {"param": "page", "size": SIZE, "size_param": "per_page",
                                 "total": "/pagination/total"}}],
        "retry": {"attempts": 2, "backoff": "20ms:200ms"},
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(job, file)
    return path


def scrape(job, run_dir, *more):
    return harness.run("run", "-o", run_dir, "--json", *more, job,
                       env=harness.environment(PASSWORD="demo"))


def test_report__names_missing_pages__when_some_never_come():
    with harness.api("--fail", "60%", "--truncate", "0", "--hang", "0", "--products",
                     str(PAGES * SIZE)) as server:
        job = write_job(server.url, "m.json")
        ended = scrape(job, scratch("m.run"))
        while ended.report()["ok"] == 0:  # the first page, on which all others depend
            scrape(job, scratch("m.run"), "--only-failed")
            ended = scrape(job, scratch("m.run"))
    status = json.loads(harness.succeed("status", "--json", scratch("m.run")).out)["endpoints"][0]
    check_equal(status["expected"], PAGES, "pages expected")
    check_equal(status["got"] + status["failed"], PAGES, "pages settled")
    check(status["failed"] > 0, "all came")
    check_equal(ended.code, 3, "exit code")
    check(all(key.startswith("page=") for key in status["missing"]), status["missing"])
    check(b"pages: missing page=" in ended.err, "the report does not name them:", ended)


if __name__ == "__main__":
    harness.main(globals())
