"""The commands of Containerfile, compose.yaml and the fleet in assets/kubernetes/, run here as a container would:
directories of workers, the table of all of them, and the health check. The images are not built.
"""

import json
import os
import re
import signal
import subprocess

import harness
from harness import check, check_equal, scratch, wait_for
from fleet_peers import Redis, Shop, write_job

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATH = os.path.dirname(harness.BINARY) + ":" + os.environ["PATH"]


def services(**given):
    """compose.yaml's, its variables as `given` or as they are without."""
    try:
        import yaml
    except ImportError:
        raise harness.Skipped("python3-yaml is missing: scripts/deps --test") from None
    text = harness.read(os.path.join(ROOT, "compose.yaml")).decode()
    text = re.sub(r"\$\$|\$\{(\w+):-([^}]*)\}", lambda m: given.get(m[1], m[2]) if m[1] else "$", text)
    return yaml.safe_load(text)["services"]


def here(command, data):
    return [word.replace("/data", data).replace("/job/", scratch("")) for word in command]


def start(service, data, *more, **changes):
    return harness.start(here(service["entrypoint"], data) + list(more),
                         env=harness.environment(PATH=PATH, **{**service["environment"], **changes}),
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def volume(name):
    data = scratch(name)
    os.mkdir(data)
    return data


def test_compose__gives_each_worker_a_directory_of_its_own__and_one_table_of_all():
    redis, shop, data = Redis(), Shop(harness.scaled(120, 60), delay_s=0.02), volume("data")
    job = write_job(shop)
    harness.succeed("run", "--plain", "-c", "60", "-o", scratch("solo.run"), job)
    shop.asked.clear()
    compose = services(JOB="shop", CAP="6", RATE="500/s", TABLE="items.csv")
    run = lambda: start(compose["worker"], data, FLEET=redis.url("shop"))
    workers = [run() for _ in range(3)]
    wait_for(lambda: sum(shop.asked.values()) > 20, "the first requests")
    check_equal({name for name in os.listdir(data) if name.endswith(".run")}, {"w1.run", "w2.run", "w3.run"}, "directories")
    workers[0].kill()
    workers[0].communicate()
    workers[0] = run()  # another container, which goes on with what the first has left
    for child in workers:
        ended = harness.finish(child)
        check_equal(ended.code, 0, f"exit code: {ended}")
    check_equal({name for name in os.listdir(data) if name.endswith(".run")}, {"w1.run", "w2.run", "w3.run"}, "directories")
    before = sum(shop.asked.values())
    check_equal(harness.finish(run()).code, 0, "exit code of a worker after the end")
    check_equal(sum(shop.asked.values()), before, "requests after the end")
    ended = harness.finish(start(compose["table"], data, "--endpoint", "items"))
    check_equal(ended.code, 0, f"exit code of the table: {ended}")
    harness.succeed("normalise", "--endpoint", "items", "-o", scratch("solo.csv"), scratch("solo.run"))
    check(harness.read(data + "/items.csv") == harness.read(scratch("solo.csv")), "another table than that of one run:", ended)
    redis.kill()


def test_a_worker__drains_as_the_process_that_its_container_stops():
    redis, shop, data = Redis(), Shop(300, delay_s=0.02), volume("drained")
    write_job(shop)
    child = start(services(JOB="shop", CAP="2")["worker"], data, FLEET=redis.url("drained"))
    wait_for(lambda: sum(shop.asked.values()) > 5, "the first requests")
    child.terminate()
    check_equal(harness.finish(child).code, 7, "exit code: drained")
    redis.kill()


def pod_of():
    """The container of the StatefulSet in assets/kubernetes/fleet.yaml, as compose.yaml's service."""
    try:
        import yaml
    except ImportError:
        raise harness.Skipped("python3-yaml is missing: scripts/deps --test") from None
    parts = list(yaml.safe_load_all(harness.read(os.path.join(ROOT, "assets", "kubernetes", "fleet.yaml")).decode()))
    check_equal([part["kind"] for part in parts], ["Service", "Deployment", "PersistentVolumeClaim", "StatefulSet"], "kinds")
    service, redis, claim, pods = parts
    container = pods["spec"]["template"]["spec"]["containers"][0]
    fleet = {value["name"]: value.get("value") for value in container["env"]}["FLEET"]
    check_equal(fleet, f"redis://{service['metadata']['name']}/job", "where the workers meet")
    check_equal(service["spec"]["selector"], redis["spec"]["template"]["metadata"]["labels"], "the Redis of the service")
    check_equal(pods["spec"]["template"]["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"], claim["metadata"]["name"],
                "the volume")
    return {"entrypoint": container["command"], "environment": {}}


def test_a_pod__drains__goes_on__and_stays_when_all_is_done():
    redis, shop, data = Redis(), Shop(12, delay_s=0.02), volume("pods")
    write_job(shop, "job")
    pod, url = pod_of(), redis.url("job")
    run = lambda n: start(pod, data, FLEET=url, POD=f"scrape-{n}")
    pods = [run(0), run(1)]
    wait_for(lambda: shop.asked and os.path.exists(data + "/scrape-1.run/control"), "both at work")
    pods[1].terminate()
    check_equal(harness.finish(pods[1]).code, 7, "exit code of a pod that is stopped: drained")
    pods[1] = run(1)
    for child in pods:
        harness.read_until(child.stdout, rb"ended with 0; this pod only waits")
        child.terminate()
        check_equal(harness.finish(child).code, 0, "exit code of a pod that waits")
    check_equal(sorted(name for name in os.listdir(data) if name.endswith(".run")), ["scrape-0.run", "scrape-1.run"], "runs")
    redis.kill()


def health(data):
    command = json.loads(re.search(r"^HEALTHCHECK .*CMD (\[.*\])$",
                                   harness.read(os.path.join(ROOT, "Containerfile")).decode(), re.M)[1])
    return subprocess.run(here(command, data), env=harness.environment(PATH=PATH), capture_output=True, check=False).returncode


def test_health__is_that_of_the_live_run__and_good_without_one():
    data = volume("health")
    check_equal(health(data), 0, "without a run")
    with harness.api("--latency", "20ms") as api:
        child = harness.scrapetop("run", "--plain", "-c", "1", "-o", data + "/h.run", f"{api.url}/posts/[1-2000]",
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_for(lambda: api.count() > 3, "the first requests")
        check_equal(health(data), 0, "of one that is well")
        child.send_signal(signal.SIGSTOP)
        check_equal(health(data), 1, "of one that does not answer")
        child.send_signal(signal.SIGCONT)
        child.terminate()
        harness.finish(child)
    check_equal(health(data), 0, "of one at rest")


if __name__ == "__main__":
    harness.main(globals())
