"""The page of `scrapetop report` in a real browser, headless Chromium, where there is one."""

import re
import shutil
import subprocess

import harness
from harness import Skipped, check, check_equal, scratch
from test_report import a_run


def chromium(*arguments):
    name = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not name:
        raise Skipped("there is no chromium: apt install chromium")
    child = harness.start([name, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                           "--enable-logging=stderr", f"--user-data-dir={scratch('chromium')}", *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return harness.finish(child)


def test_browser__opens_it_without_a_word__and_prints_two_pages():
    wrong = scratch("wrong.html")
    with open(wrong, "w", encoding="ascii") as file:
        file.write("<!DOCTYPE html><script>console.error('seen')</script>")
    check(b"CONSOLE" in chromium("--dump-dom", f"file://{wrong}").err, "an error on the console is not seen here")

    with harness.api("--latency", "20ms", "--fail", "10%") as server:
        run = a_run("browser", server, 150, "--rate", "50/s", "--retries", "0", "--csv", scratch("browser.csv"),
                    "--on", "failed in 2s > 1: say some fail", code=3)
    page, pdf = scratch("browser.html"), scratch("browser.pdf")
    harness.succeed("report", run, "-o", page)
    shown = chromium("--dump-dom", f"file://{page}")
    check(b"How polite it was" in shown.out and b"<polyline" in shown.out, "what the browser made of it:", shown)
    check(b"CONSOLE" not in shown.err, "the browser complains:", shown.err)
    chromium(f"--print-to-pdf={pdf}", "--no-pdf-header-footer", f"file://{page}")
    pages = max(map(int, re.findall(rb"/Count (\d+)", harness.read(pdf))))
    check_equal(pages, 2, "pages of paper")


if __name__ == "__main__":
    harness.main(globals())
