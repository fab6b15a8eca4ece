"""What browsers copy as a curl command, in the dialects of Chrome (bash and cmd.exe), Firefox (both) and Safari, is asked
as curl itself asks it; and so is what pages of documentation write."""

import email
import json
import re
import shlex
import shutil
import subprocess
import urllib.parse

import harness
from harness import check, check_equal, scratch
from test_as_curl import Echo

# --- how browsers quote ----------------------------------------------------------------------------------


def chrome_bash(text):
    if not re.search(r"[\0-\x1f\x7f-\x9f!']", text):
        return f"'{text}'"
    text = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return "$'" + re.sub(r"[\0-\x1f\x7f-\x9f!]", lambda c: f"\\u{ord(c[0]):04x}", text) + "'"


def units(text):
    """As scripts in browsers see a character: one number, or two for those beyond the first plane."""
    return "".join(f"\\u{int.from_bytes(pair, 'big'):04x}" for pair in
                   (lambda b: [b[i:i + 2] for i in range(0, len(b), 2)])(text.encode("utf-16-be")))


def firefox_bash(text):
    if not re.search(r"[^\x20-\x7e]|'", text):
        return f"'{text}'"
    text = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return "$'" + re.sub(r"[^\x20-\x7e]", lambda c: units(c[0]), text) + "'"


def chrome_cmd(text):
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    text = re.sub(r"[^a-zA-Z0-9\s_\-:=+~'/.',?;()*`]", r"^\g<0>", text)
    text = re.sub(r"%(?=[a-zA-Z0-9_])", "%^", text)
    return '^"' + re.sub(r"\r?\n", "^\n\n", text) + '^"'


def firefox_cmd(text):
    text = text.replace("\\", "\\\\").replace('"', '""')
    text = re.sub(r"[^a-zA-Z0-9\s_\-:=+~/.',?;()*`]", r"^\g<0>", text)
    text = re.sub(r"%(?=[a-zA-Z0-9_])", "%^", text)
    return '^"' + re.sub(r"\r?\n", "^\r\n\r\n", text) + '^"'


def plain(word):
    return bool(re.fullmatch(r"--?[A-Za-z][A-Za-z0-9-]*", word))


def copied(words, quote, line_end):
    """Options bare, all else in quotes; a line for each option with its value."""
    text = "curl"
    for word in words:
        text += f"{line_end}  {word}" if plain(word) else " " + quote(word)
    return text


DIALECTS = {
    "Chrome, bash": lambda words: copied(words, chrome_bash, " \\\n"),
    "Chrome, cmd": lambda words: copied(words, chrome_cmd, " ^\n"),
    "Chrome, cmd, CRLF": lambda words: copied(words, chrome_cmd, " ^\r\n"),
    "Firefox, bash": lambda words: copied(words, firefox_bash, " "),
    "Firefox, cmd": lambda words: copied(words, firefox_cmd, " ^\r\n"),
    "Safari": lambda words: copied(words, firefox_bash, " \\\n"),
}

ACCEPT = ["-H", "accept: application/json, text/plain, */*", "-H", "accept-language: de-DE,de;q=0.9,en-US;q=0.8"]
AGENT = ["-H", 'sec-ch-ua: "Chromium";v="130", "Not?A_Brand";v="99"', "-H",
         "user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"]
FORM = ["-H", "content-type: application/x-www-form-urlencoded"]
JSON = ["-H", "content-type: application/json"]
REQUESTS = (
    ("/api/items?page=1&size=20", [*ACCEPT, *AGENT, "--compressed"]),
    ("/api/items?filter%5Bstatus%5D=open&q=a%20b", [*ACCEPT, "-b", "session=abc123def; theme=dark", "-H",
                                                     "referer: https://app.test/items?x=1&y=2"]),
    ("/api/search?q=%C3%BC%E2%82%AC&n=100%25", [*ACCEPT, "--compressed", "--insecure"]),
    ("/graphql", [*JSON, *AGENT, "--data-raw", '{"query":"query Q($n: Int!) { items(first: $n) { id name } }",'
                                               '"variables":{"n":50}}', "--compressed"]),
    ("/graphql", [*JSON, "--data-raw", '{"query":"{\\n  items(where: {name: \\"it\'s \\\\ 100% & <b>\\"}) { id }\\n}"}']),
    ("/login", [*FORM, "--data-raw", "user=me%40a.test&note=it's+50%25+done!&x=%PATH%&y=^a"]),
    ("/form", [*FORM, "--data-raw", "text=line one\nline two\n\tend"]),
    ("/text", ["-H", "content-type: text/plain;charset=UTF-8", "--data-raw", "Grüße, 世界 €!"]),
    ("/json", [*JSON, "-X", "PUT", "--data-raw", '{"path":"C:\\\\dir\\\\","quote":"\\"","trail":"\\\\"}']),
    ("/x?a=(b)&c=$d&e={f}&g=[1]", [*ACCEPT, "-H", "x-a: `tick` $HOME !bang ^caret %USERNAME% \\back"]),
    ("/empty", ["-X", "DELETE", "-H", "x-a: ;", "-H", 'x-b: "quoted, \'twice\'"']),
    ("/many", [*ACCEPT, *AGENT, "-H", "dnt: 1", "-H", "origin: https://app.test", "-H", "priority: u=1, i", "-H",
               "sec-fetch-dest: empty", "-H", "x-a: a=b&c=d|e<f>g"]),
)

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
PARTS = "".join(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in
                (("a", "it's"), ("b", "100% \u20ac!"))) + f"--{BOUNDARY}--\r\n"
REQUESTS += (
    ("/upload", ["-H", f"content-type: multipart/form-data; boundary={BOUNDARY}", "--data-raw", PARTS]),
    ("/safari", ["-X", "POST", "-H", "Content-Type: application/json", "-H", "Pragma: no-cache", "-H", "Cache-Control: no-cache",
                 "--data-binary", '{"a":[1,2,{"b":null}]}']),
    ("/auth", ["-H", "authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2ln_-A", "-H", "x-csrf-token: a+/b==",
               "-H", "cookie: a=1; b=%7B%22c%22%3A1%7D"]),
    ("/conditional", ["-H", 'if-none-match: W/"abc"', "-H", "if-modified-since: Mon, 30 Nov 2026 10:00:00 GMT"]),
    ("/emoji", [*JSON, "--data-raw", '{"text":"\U0001F600 fa\u00e7ade \u4e16"}']),
    ("/batch?ids=1,2,3&sort=-created&tz=Europe/Berlin", [*ACCEPT, *AGENT, "-H", "sec-fetch-mode: cors", "--insecure"]),
    ("/form2", [*FORM, "--data-raw", "a=1&b=&c=%0D%0A&d=x%3Dy&e=<script>&f='q'&g=\"r\"&h=`s`"]),
    ("/patch", ["-X", "PATCH", *JSON, "--data-raw", "[]"]),
)

# Options as pages of documentation write them.
HEADS = ["--insec", "--sil"]  # that curl before 8.14 takes for the options
DOCUMENTED = (
    ["-F", "a=1", "-F", "b=x y;type=text/plain", "-F", 'c="q;r";filename="f.txt"'], ["--form-string", "a=@b;type=c"],
    ["-F", "a=1", "-H", "X-A: b"], ["-X", "PUT", "-F", "a=1"],
    ["-G", "--data-urlencode", "q=a b&c", "--data-urlencode", "=x/y", "--data-urlencode", "ü"],
    ["--url-query", "q=a b", "--url-query", "r=2"], ["-r", "0-99"], ["--request", "PATCH", "--json", "{}"],
    ["-s", "-S", "-L", "-f", "--retry", "3", "--retry-delay", "1"], HEADS,
    ["--no-progress-meter", "--no-keepalive", "-N"], ["--tlsv1.2", "--http1.1", "--ssl-reqd"], ["-4", "--tcp-nodelay"],
    ["--connect-timeout", "5", "--max-time", "9", "--limit-rate", "1M"], ["-sSfLo", "/dev/null"], ["-w", "%{http_code}"],
    ["--user-agent", "me/1", "--referer", "http://r/"], ["--noproxy", "*", "-x", "http://127.0.0.1:1"],
    ["--interface", "127.0.0.1"], ["--proto", "=http,https", "--proto-redir", "=https"], ["--location-trusted"],
    ["-u", "me:pa ss", "--basic"], ["--oauth2-bearer", "tttttttttttt", "--path-as-is"], ["-e", "r", "-A", "", "-b", "a=1"],
)

OURS = ("accept", "user-agent", "host", "content-length", "connection", "accept-encoding")


def parts_of(heads, body):
    """Of a form: its parts, whatever stands between them."""
    kind = heads.get("content-type", [""])[0]
    if not kind.startswith("multipart/"):
        return heads, body
    message = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    return ({**heads, "content-type": ["multipart/form-data"]},
            [(sorted(part.items()), part.get_payload(decode=True)) for part in message.get_payload()])


def without_boundary(asked):
    """What is the same in other words: a form's boundary, and %20 beside + in a query."""
    path, _, query = asked[1].partition("?")
    return (asked[0], path, urllib.parse.parse_qsl(query, keep_blank_values=True), *parts_of(*asked[2:]))


def wanted_of(server, url, words):
    done = subprocess.run(["curl", "-sq", *words, url, "-o", "/dev/null", "-g"], capture_output=True, check=False,
                          timeout=harness.HANG_S, env=harness.environment())
    check_equal(done.returncode, 0, f"exit code of curl for {words}: {done.stderr}")
    return without_boundary(server.last())


def test_command_of_a_browser__is_asked_as_curl_asks_it__in_every_dialect():
    if not shutil.which("curl"):
        raise harness.Skipped("curl is missing: scripts/deps --test")
    server, count = Echo(), 0
    for path, words in REQUESTS:
        wanted = wanted_of(server, server.url + path, words)
        for name, write in DIALECTS.items():
            text = write([server.url + path, *words])
            ended = harness.run("probe", "-", stdin=text.encode())
            check_equal(ended.code, 0, f"exit code of probe, {name}: {text}: {ended}")
            check_equal(without_boundary(server.last()), wanted, f"the request, {name}: {text}")
            count += 1
    check(count >= 120, "commands", count)
    server.shutdown()


def test_command_of_a_page__is_asked_as_curl_asks_it():
    if not shutil.which("curl"):
        raise harness.Skipped("curl is missing: scripts/deps --test")
    server = Echo()
    takes_heads = subprocess.run(["curl", "--insec", "--version"], capture_output=True, check=False).returncode == 0
    for words in DOCUMENTED:
        if words == HEADS and not takes_heads:
            print("this curl takes no beginnings of options")
            continue
        wanted = wanted_of(server, server.url + "/p", words)
        ended = harness.run("probe", "curl " + shlex.join(words) + " " + server.url + "/p")
        check_equal(ended.code, 0, f"exit code of probe for {words}: {ended}")
        check_equal(without_boundary(server.last()), wanted, f"the request for {words}")
    server.shutdown()


def test_path__is_sent_as_it_is__where_the_command_or_the_job_wants_it():
    server = Echo()
    for words, asked in (("", "/b?q=/../"), ("--path-as-is", "/a/../b?q=/../")):
        harness.succeed("probe", f"curl {words} '{server.url}/a/../b?q=/../'")
        check_equal(server.asked[-1][1], asked, f"asked by probe with {words}")
        harness.succeed("run", "--plain", *words.split(), "-o", scratch("p" + words), f"{server.url}/a/../b?q=/../")
        check_equal(server.asked[-1][1], asked, f"asked by run with {words}")
    kept = json.loads(harness.read(scratch("p--path-as-is/job.json")))
    check_equal(kept["network"]["path_as_is"], True, "kept")
    server.shutdown()


def test_passed_over__is_named():
    server = Echo()
    ended = harness.succeed("probe", f"curl -sSL --retry 3 --limit-rate 1M {server.url}/p")
    check(b"passed over in the curl command: --retry --limit-rate\n" in ended.err, ended)
    server.shutdown()


if __name__ == "__main__":
    harness.main(globals())
