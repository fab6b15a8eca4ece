"""Secrets stay where they were given: not in the run directory, not in any output, not on the screen.

The URL's own secret stands in job.json, which is the job as given: without it nothing could resume.
"""

import os

import harness
from harness import check, scratch

FROM_ENV = "env-s3cret-0badcafe"
FROM_FILE = "file-s3cret-0badcafe"
IN_QUERY = "query-s3cret-0badcafe"
SECRETS = [secret.encode() for secret in (FROM_ENV, FROM_FILE, IN_QUERY)]


def command(server, *more):
    with open(scratch("headers"), "w", encoding="ascii", opener=private) as file:
        file.write(f"X-Api-Key: {FROM_FILE}\n")
    # A status of its own kind for each way a URL is told: stored, failed, tried again.
    return ["run", "-o", scratch("s.run"), "-H", "Authorization: Bearer ${E2E_TOKEN}", "-H",
            f"@{scratch('headers')}", "--retries", "1", "--backoff", "10ms", "--csv",
            scratch("s.csv"), *more,
            f"{server.url}/{{posts/1,status/404,status/500,empty,retry-after}}"
            f"?api_key={IN_QUERY}&again={FROM_ENV}&s=1&n=[1-3]"]


def private(path, flags):
    return os.open(path, flags, 0o600)


def check_clean(what, data):
    for secret in SECRETS:
        at = data.find(secret)
        check(at < 0, what, "holds a secret:", data[max(0, at - 80):at + 40])


def check_files(run_dir):
    for path, data in harness.everything_in(run_dir).items():
        if os.path.basename(path) == "job.json":
            check(FROM_FILE.encode() not in data, "job.json holds a secret from a file")
        else:
            check_clean(path, data)
    check_clean("the table", harness.read(scratch("s.csv")))


def test_secrets__are_nowhere__when_run_without_a_terminal():
    with harness.api() as server:
        ended = harness.run(*command(server, "--json"), env=harness.environment(E2E_TOKEN=FROM_ENV))
        check(ended.code == 3, "some of these requests are to fail:", ended)
    check_clean("stdout", ended.out)
    check_clean("stderr", ended.err)
    check_files(scratch("s.run"))
    for reader in ("raw", "verify", "status"):
        said = harness.succeed(reader, scratch("s.run"))
        check_clean(reader, said.out + said.err)


def test_secrets__are_on_no_screen__when_run_in_a_terminal():
    with harness.api("--latency", "50ms") as server:
        arguments = [harness.BINARY, *command(server)]
        with harness.terminal(arguments, env={"E2E_TOKEN": FROM_ENV}, columns=200, rows=50) as shown:
            shown.wait_text(r"15/15")
            for key in "12345678":
                shown.keys(key + "z")
                shown.pump(0.2)
                shown.keys("z")
                shown.pump(0.2)
            shown.keys("q")
            shown.exit_code()
            check_clean("the terminal", shown.raw)
    check_files(scratch("s.run"))


if __name__ == "__main__":
    harness.main(globals())
