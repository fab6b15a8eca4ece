"""What other programs see of a run: metrics, health, files of totals, the service manager, a run in the background."""

import http.server
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import harness
from harness import Skipped, check, check_equal, scratch, wait_for


def parsers():
    try:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open
        from prometheus_client.parser import text_string_to_metric_families as read_old
    except ImportError:
        raise Skipped("python3-prometheus-client is missing: scripts/deps --test") from None
    return read_open, read_old


def get(url, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def watched(server, urls, *options, **keywords):
    """A run with metrics, and the address of these."""
    child = harness.scrapetop("run", "--plain", "-o", scratch("m.run"), "--metrics", "127.0.0.1:0", *options,
                              f"{server.url}/posts/[1-{urls}]", stderr=subprocess.PIPE, stdout=subprocess.PIPE,
                              **keywords)
    port = int(harness.read_until(child.stderr, rb"metrics at http://[^ ]+:(\d+)/metrics").group(1))
    return child, f"http://127.0.0.1:{port}"


def samples_of(families):
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def test_metrics__are_read_by_others__and_counters_never_fall():
    read_open, read_old = parsers()
    with harness.api("--latency", "50ms") as server:
        child, url = watched(server, 300, "-c", "4")
        before = {}
        while True:
            try:
                status, kind, text = get(url + "/metrics", Accept="application/openmetrics-text; version=1.0.0")
            except OSError:
                break  # it has ended
            if status == 503:
                break  # it is just ending
            check_equal(status, 200, "status")
            check("openmetrics-text" in kind, "type", kind)
            families = list(read_open(text))
            now = samples_of(families)
            for key, value in before.items():
                if key[0].endswith(("_total", "_count", "_bucket")):
                    check(now[key] >= value, "a counter falls:", key, value, now[key])
            before = now
            try:
                with_old = get(url + "/metrics")
            except OSError:
                break
            if with_old[0] == 503:
                break
            check(with_old[1].startswith("text/plain; version=0.0.4"), "type", with_old[1])
            check(len(list(read_old(with_old[2]))) == len(families), "the older format has other metrics")
            time.sleep(0.2)
        ended = harness.finish(child)
        ok = before[("scrapetop_requests_total",
                     (("endpoint", "127.0.0.1"), ("outcome", "ok"), ("run", "127.0.0.1")))]
        check(0 < ok <= 300, "ok", ok)
        check_equal(ended.code, 0, f"exit code: {ended}")


def metrics_file(count):
    """What --metrics-file holds at the end of a run that has met a bit of everything."""
    path = scratch("all.prom")
    with harness.api("--latency", "5ms", "--fail", "5%") as server:
        harness.run("run", "--quiet", "-o", scratch("all.run"), "--retries", "0", "--metrics-file", path, "--csv",
                    scratch("all.csv"), "--on", "done_total > 3: say some", "--rate", "200/s",
                    f"{server.url}/posts/[1-{count}]")
    return harness.read(path).decode()


# Those of `promtool check metrics` (client_golang, prometheus/testutil/promlint), where there is no promtool.
UNITS = {"s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "milliseconds", "microseconds", "minutes", "hours", "days",
         "kilobytes", "megabytes", "gigabytes", "percent"}


def lint(text):
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    helps = dict(re.findall(r"^# HELP (\S+) (.+)$", text, re.MULTILINE))
    check(len(kinds) > 20 and kinds.keys() == helps.keys(), "families without a type or a help:", kinds, helps)
    for name, kind in kinds.items():
        parts = name.split("_")
        check(re.fullmatch(r"[a-z][a-z0-9_]*", name), "a name of other letters:", name)
        check(not UNITS & set(parts), "not a base unit:", name)
        check((kind == "counter") == name.endswith("_total"), "counters alone end in _total:", name, kind)
        check(kind == "histogram" or parts[-1] not in ("bucket", "count", "sum"), "a histogram's ending:", name)
        check(not {"counter", "gauge", "histogram"} & set(parts), "its type in its name:", name)
    return kinds


def test_metrics__keep_the_rules_of_promtool():
    text = metrics_file(60)
    lint(text)
    for wrong in ("# HELP a_ms b\n# TYPE a_ms gauge\n", "# HELP a_total b\n# TYPE a_total gauge\n"):
        try:
            lint(text + wrong)
        except harness.Failed:
            continue
        raise harness.Failed(f"the rules let pass: {wrong}")


def test_grafana__asks_only_for_metrics_and_labels_that_there_are():
    path = os.path.join(os.path.dirname(__file__), "../../assets/grafana/scrapetop.json")
    dashboard = json.loads(harness.read(path))
    text = metrics_file(60)
    families = set(lint(text))
    labels = {}
    for name, inside in re.findall(r"^(scrapetop_\w+)\{(.*)\} \S+$", text, re.MULTILINE):
        labels.setdefault(name, set()).update(re.findall(r'(\w+)="', inside))
    known = families | labels.keys()
    asked = set()
    for panel in dashboard["panels"]:
        check(panel["title"] and panel["targets"], "a panel of nothing:", panel)
        for target in panel["targets"]:
            names = set(re.findall(r"scrapetop_\w+", target["expr"]))
            check(names and names <= known, "metrics that there are not:", names - known, target["expr"])
            asked |= names
            there = set.union(*(labels.get(name, set()) for name in names))
            wanted = {word for group in re.findall(r"by \(([^)]*)\)", target["expr"]) for word in group.split(", ")}
            wanted |= set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            wanted |= set(re.findall(r'[{,](\w+)=~?"', target["expr"]))
            if all(name in labels for name in names):
                check(wanted <= there, "labels that there are not:", wanted - there, target)
    check(len(asked) >= 18, "it shows only", asked)
    boxes = [panel["gridPos"] for panel in dashboard["panels"]]
    check(all(box["x"] + box["w"] <= 24 for box in boxes), "a panel beyond the edge")
    check_equal(len({panel["id"] for panel in dashboard["panels"]}), len(boxes), "panels of different ids")


def test_health__is_told__and_nothing_else_is_served():
    with harness.api("--latency", "50ms") as server:
        child, url = watched(server, 100_000, "-c", "2")
        check_equal(get(url + "/healthz")[0], 200, "health")
        check_equal(get(url + "/readyz")[2], "ok\n", "readiness")
        check_equal(get(url + "/status")[0], 404, "another path")
        host, port = url[7:].split(":")
        for sent, answer in ((b"POST /metrics HTTP/1.1\r\n\r\n", b"405"), (b"GET /" + b"x" * 9000, b"431"),
                             (b"\xff\x00\r\n\r\n", b"405")):
            with socket.create_connection((host, int(port)), 20) as client:
                client.sendall(sent)
                check(answer in client.recv(1000), "no", answer, "to", sent[:20])
        with socket.create_connection((host, int(port)), 20) as client:  # says nothing
            check_equal(client.recv(10), b"", "a connection that says nothing is closed")
        check_equal(harness.run("status", scratch("m.run"), "--check").code, 0, "status --check")
        child.send_signal(signal.SIGTERM)
        harness.finish(child)
    check_equal(harness.run("status", scratch("m.run"), "--check").code, 4, "status --check of one at rest")


def test_addresses_that_are_none__are_refused():
    for address in ("9464", "localhost:9464", "127.0.0.1:99999", "[::1:9464", "1.2.3.4.5:1", ""):
        ended = harness.run("run", "--metrics", address, "http://127.0.0.1:9/x")
        check_equal(ended.code, 2, f"exit code of {address!r}: {ended}")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = harness.run("run", "--metrics", f"127.0.0.1:{taken.getsockname()[1]}", "-o", scratch("t.run"),
                            "http://127.0.0.1:9/x")
        check(ended.code == 2 and b"E-MET1" in ended.err, "an address in use:", ended)


def test_files__are_whole_whenever_they_are_read():
    status, metrics = scratch("status.json"), scratch("run.prom")
    with harness.api("--latency", "20ms") as server:
        child = harness.scrapetop("run", "--quiet", "-o", scratch("f.run"), "-c", "4", "--status-file", status,
                                  "--metrics-file", metrics, f"{server.url}/posts/[1-600]", stderr=subprocess.PIPE)
        wait_for(lambda: os.path.exists(status), "the status file")
        while child.poll() is None:
            check_equal(json.loads(harness.read(status))["total"], 600, "total")
            time.sleep(0.01)
        ended = harness.finish(child)
        check_equal((ended.code, ended.err), (0, b""), "a quiet run says something")
    check_equal(json.loads(harness.read(status))["ok"], 600, "ok at the end")
    check(b'outcome="ok"} 600\n' in harness.read(metrics), "the metrics' file is not of the end")
    check(not [name for name in os.listdir(scratch(".")) if name.endswith(".tmp")], "a file is left over")


def test_detach__begins_in_the_background():
    with harness.api("--latency", "50ms") as server:
        began = harness.succeed("run", "--detach", "-o", scratch("b.run"), "-c", "2", f"{server.url}/posts/[1-100000]")
        pid = int(re.search(rb"process (\d+) runs", began.err).group(1))
        check(b"scrapetop attach" in began.err, "no word on how to come back", began)
        check_equal(os.getsid(pid), pid, "a session of its own")
        check(b"/100000" in harness.succeed("status", scratch("b.run")).out, "status")
        harness.succeed("ctl", scratch("b.run"), "drain")
        wait_for(lambda: not os.path.exists(f"/proc/{pid}") or harness.state_of(pid) == "Z", "its end")
        check(b"resume with" in harness.read(scratch("b.run/run.log")), "no log of it")
        again = harness.succeed("run", "--detach", "-o", scratch("b.run"), "--max-requests", "3")
        check(b"runs in the background" in again.err, "it does not go on", again)
    failed = harness.run("run", "--detach", "-o", "/proc/nope/x.run", "http://127.0.0.1:9/x")
    check(failed.code in (2, 8) and b"E-DIR1" in failed.err, "a run that cannot begin:", failed)


def test_service_manager__hears_what_it_asks_for():
    name = scratch("notify")
    with harness.api("--latency", "50ms") as server, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name)
        manager.settimeout(harness.HANG_S)
        child = harness.scrapetop("run", "--plain", "-o", scratch("s.run"), f"{server.url}/posts/[1-100000]",
                                  env=harness.environment(NOTIFY_SOCKET=name, WATCHDOG_USEC="1000000"),
                                  stderr=subprocess.PIPE)
        check(manager.recv(999).startswith(b"READY=1\nMAINPID=%d" % child.pid), "not ready first")
        heard = b""
        while heard.count(b"WATCHDOG=1") < 3 or b"STATUS=" not in heard:
            heard += manager.recv(999)
        child.send_signal(signal.SIGTERM)
        while b"STOPPING=1\nEXTEND_TIMEOUT_USEC=" not in heard:
            heard += manager.recv(999)
        harness.finish(child)


def test_service_manager__hears_that_the_end_takes_its_time():
    name, go = scratch("notify-end"), scratch("go-on")
    os.mkfifo(go)
    with harness.api() as server, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name)
        manager.settimeout(harness.HANG_S)
        child = harness.scrapetop("run", "--plain", "-o", scratch("e.run"), "--on-end", f"cat {go}",
                                  f"{server.url}/posts/[1-5]", stderr=subprocess.PIPE,
                                  env=harness.environment(NOTIFY_SOCKET=name, WATCHDOG_USEC="200000"))
        heard = b""
        while heard.count(b"EXTEND_TIMEOUT_USEC=") < 2:
            heard += manager.recv(999) + b"\n"
        heard = b""
        while heard.count(b"WATCHDOG=1") < 3:
            heard += manager.recv(999) + b"\n"
        told = json.loads(harness.succeed("status", "--json", scratch("e.run")).out)
        check_equal((told["running"], told["ending"], told["pid"]), (False, True, child.pid), "its state")
        check(b"ending    since " in harness.succeed("status", scratch("e.run")).out, "status does not say that it ends")
        with open(go, "w", encoding="utf-8"):
            pass  # the command of the end may end now
        check_equal(harness.finish(child).code, 0, "exit code")


class Pings(http.server.BaseHTTPRequestHandler):
    """Takes the second GET of each path, and refuses the first."""

    def do_GET(self):
        self.server.seen.append(self.path)
        self.send_response(200 if self.server.seen.count(self.path) > 1 else 500)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def test_pings_and_commands__tell_of_start_and_end():
    told = scratch("told.json")
    command = f"test -e {told}.again || {{ touch {told}.again; exit 1; }}; cat > {told}; echo $SCRAPETOP_EXIT $SCRAPETOP_RUN > {told}.env"
    with harness.api("--latency", "20ms") as server, \
            http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pings) as pings:
        pings.seen = []
        threading.Thread(target=pings.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{pings.server_port}/planted-4711"
        ended = harness.succeed("run", "--plain", "-o", scratch("p.run"), "--on-end", command, "--ping", url,
                                f"{server.url}/posts/[1-5]", f"{server.url}/status/404", code=3)
        check_equal(sorted(pings.seen), ["/planted-4711/3"] * 2 + ["/planted-4711/start"] * 2, "pings")
        check(b"planted-4711" not in ended.err + ended.out, "the URL is shown", ended)
        pings.shutdown()
    check_equal(json.loads(harness.read(told))["exit"], 3, "the report's exit code")
    check(harness.read(told + ".env").startswith(b"3 "), "its environment")
    kept = harness.everything_in(scratch("p.run"))
    check(not [name for name, text in kept.items() if b"planted-4711" in text], "the URL is written down")
    lost = harness.run("run", "--ping", "ftp://x/secret-99", "http://127.0.0.1:9/x")
    check(lost.code == 2 and b"secret-99" not in lost.err, "a URL that is none", lost)


def test_pings__that_nobody_takes__hold_up_the_end_for_seconds_only():
    with harness.api() as server, socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))
        dead.listen(0)  # it is connected to, and says nothing
        began = time.monotonic()
        ended = harness.succeed("run", "--plain", "-o", scratch("d.run"), "--ping",
                                f"http://127.0.0.1:{dead.getsockname()[1]}/planted-4712", f"{server.url}/posts/[1-3]")
        check(time.monotonic() - began < 20, "it took too long:", time.monotonic() - began)
        check(ended.err.count(b"W-END2") == 2 and b"within 5 s" in ended.err, "nobody is told:", ended)
        check(b"planted-4712" not in ended.err, "the URL is shown", ended)


if __name__ == "__main__":
    harness.main(globals())
