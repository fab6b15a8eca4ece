"""Several threads that fetch are one run: by the server's count the cap holds, each request is asked once, and it
stops and goes on as with one. The other tests say the same of all else: with SCRAPETOP_THREADS=3 they all pass."""

import json
import signal

import harness
from harness import api, check, check_equal, scratch

CAP = 23


def check_asked_once(server, count):
    asked = server.asked()
    check_equal(len({a.path for a in asked}), count, "different requests")
    check_equal(len(asked), count, "requests")
    most = max(a.in_flight for a in asked)
    check(most <= CAP, most, "at once at the server, and the cap is", CAP)
    return most


def test_cap__holds_at_the_server__whatever_the_threads():
    for threads in ("1", "2", "5"):
        with api("--latency", "20ms", name=f"cap{threads}") as server:
            ended = harness.succeed("run", "--plain", "--json", "-o", scratch(f"cap{threads}.run"), "-c", str(CAP),
                                    "--threads", threads, f"{server.url}/posts/[1-600]")
            most = check_asked_once(server, 600)
        report = ended.report()
        check_equal((report["ok"], report["failed"], report["threads"]), (600, 0, int(threads)), "report")
        check_equal(len(harness.bodies(scratch(f"cap{threads}.run"))), 600, "bodies")
        check(most > CAP // 2, most, "at once at the most: the cap is not used")


def test_run__stops_and_goes_on__with_another_number_of_threads():
    with api("--latency", "30ms", name="stop") as server:
        command = ["run", "--plain", "--json", "-o", scratch("stop.run"), "-c", str(CAP), f"{server.url}/posts/[1-500]"]
        child = harness.scrapetop(*command, stdout=-1, stderr=-1,
                              env=harness.environment(SCRAPETOP_THREADS="3"))
        harness.wait_for(lambda: server.count() > 60, "some answers")
        child.send_signal(signal.SIGINT)
        check_equal(harness.finish(child).code, 7, "exit code")
        report = harness.succeed(*command, "--threads", "2").report()
        check_equal((report["failed"], report["pending"], report["threads"]), (0, 0, 2), "failed, pending, threads")
        check_asked_once(server, 500)
    check_equal(len(harness.bodies(scratch("stop.run"))), 500, "bodies")


def test_abort__loses_nothing_that_was_stored():
    with api("--latency", "200ms", name="abort") as server:
        command = ["run", "--plain", "--json", "-o", scratch("abort.run"), "-c", str(CAP), "--threads", "3",
                   f"{server.url}/posts/[1-200]"]
        child = harness.scrapetop(*command, stdout=-1, stderr=-1)
        harness.wait_for(lambda: server.count() > 30, "some answers")
        child.send_signal(signal.SIGINT)
        child.send_signal(signal.SIGINT)
        check(harness.finish(child).code in (7, 130), "exit code")
        harness.succeed(*command)
    check_equal(len(harness.bodies(scratch("abort.run"))), 200, "bodies")


def test_number__is_refused__when_it_is_none():
    for value in ("0", "65", "x", "-1"):
        ended = harness.run("run", "--threads", value, "-o", scratch("bad.run"), "http://127.0.0.1:9/")
        check_equal(ended.code, 2, f"exit code of --threads {value}")
        ended = harness.run("run", "--plain", "-o", scratch("bad.run"), "http://127.0.0.1:9/",
                            env=harness.environment(SCRAPETOP_THREADS=value))
        check_equal(ended.code, 2, f"exit code with SCRAPETOP_THREADS={value}")
        check(b"error[E-THREAD1]: SCRAPETOP_THREADS" in ended.err, ended)


def test_job_file__says_it__and_the_option_more():
    job = scratch("job.json")
    with api(name="job") as server, open(job, "w", encoding="ascii") as file:
        json.dump({"endpoints": [{"name": "posts", "url": f"{server.url}/posts/{{id}}"}], "vars": {"id": "[1-20]"},
                   "network": {"threads": 2}}, file)
        file.flush()
        for more, want in ((), 2), (("--threads", "3"), 3):
            ended = harness.succeed("run", "--plain", "--json", "--fresh", "-o", scratch("job.run"), *more, job)
            check_equal(ended.report()["threads"], want, "threads")


if __name__ == "__main__":
    harness.main(globals())
