"""The servers of the weathers, each started anew for every peer, so that no limiter remembers another one.

running(weather, directory) gives what was started: `hosts`, to fill into URLs, and counted(), which ends it and tells
"requests", "refused", "early", "most_in_flight", as far as that server can. Missing is raised, with what to install,
when it cannot be started here.
"""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"
SLOW_BODY_BYTES = 30_000  # at nginx's limit_rate of 20k the last third waits for half a second

NGINX = """
daemon off; master_process off; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 512; }}
http {{
    log_format asked '$msec $status';
    access_log {dir}/access.log asked; default_type application/json; keepalive_requests 1000000;
    client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
    uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
    limit_req_zone $server_port zone=all:1m rate=50r/s; limit_req_status 429;
    limit_conn_zone $server_port zone=conns:1m;
    server {{ listen 127.0.0.1:{port}; location /items/ {{ alias {dir}/www/; {limits} }} }}
}}
"""

HTTPBIN = "from werkzeug.serving import run_simple; from httpbin import app; " \
          "run_simple('127.0.0.1', int(__import__('sys').argv[1]), app, threaded=True)"


class Missing(Exception):
    pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_open(port, child):
    end = time.monotonic() + 30
    while time.monotonic() < end and child.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise SystemExit(f"{child.args[0]} does not start")


class Server:
    def __init__(self, child, port):
        self.child, self.port = child, port
        self.hosts = {"host0": f"127.0.0.1:{port}", "host1": f"127.0.0.2:{port}"}

    def end(self):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(5)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        return {}

    counted = end


class Own(Server):
    def __init__(self, weather, directory):
        if weather.is_tls:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                            "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                            f"{directory}/key.pem", "-out", f"{directory}/cert.pem"], check=True, capture_output=True)
        child = subprocess.Popen([sys.executable, "-B", os.path.join(HERE, "server.py"), weather.name, directory],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        super().__init__(child, int(child.stdout.readline()))

    def counted(self):
        said, _ = self.child.communicate()
        return json.loads(said)


class Serve(Server):
    """scrapetop's own practice API, with its log."""

    def __init__(self, weather, directory, binary):
        self.log = os.path.join(directory, "serve.log")
        child = subprocess.Popen([binary, "serve", "--seed", "7", "--log", self.log, *weather.config],
                                 stdout=subprocess.PIPE, text=True)
        super().__init__(child, int(child.stdout.readline().rpartition(":")[2]))

    def counted(self):
        self.end()
        with open(self.log, encoding="utf-8") as file:
            lines = file.read().splitlines()
        return {"requests": len(lines), "refused": sum(bool(re.search(r"\b429\b", line)) for line in lines)}


class Nginx(Server):
    def __init__(self, weather, directory):
        if not shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"):
            raise Missing("apt install nginx-light")
        limits, size = weather.config
        self.directory = directory
        os.makedirs(f"{directory}/www")
        for number in range(1, weather.count + 1):
            text = "x" * (SLOW_BODY_BYTES if size else 300)
            with open(f"{directory}/www/{number}", "w", encoding="ascii") as file:
                json.dump({"id": number, "text": text}, file)
        os.chmod(directory, 0o755)
        port = free_port()
        with open(f"{directory}/conf", "w", encoding="ascii") as file:
            file.write(NGINX.format(dir=directory, port=port, limits=limits))
        child = subprocess.Popen(["/usr/sbin/nginx", "-p", directory, "-c", f"{directory}/conf", "-e",
                                  f"{directory}/error.log"], stderr=subprocess.DEVNULL)
        super().__init__(child, port)
        wait_until_open(port, child)

    def counted(self):
        self.end()
        with open(f"{self.directory}/access.log", encoding="ascii") as file:
            statuses = [line.split()[1] for line in file]
        return {"requests": len(statuses), "refused": sum(s in ("429", "503") for s in statuses)}


class Express(Server):
    def __init__(self, weather, packages):
        place = express(packages)
        if not place:
            raise Missing("node and npm, which installs express and express-rate-limit")
        child = subprocess.Popen(["node", place, json.dumps(weather.config)], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)
        super().__init__(child, int(child.stdout.readline()))

    def counted(self):
        said, _ = self.child.communicate()
        return json.loads(said)


class Httpbin(Server):
    def __init__(self):
        if subprocess.run([PYTHON, "-c", "import httpbin, werkzeug"], check=False, capture_output=True).returncode:
            raise Missing("apt install python3-httpbin")
        port = free_port()
        child = subprocess.Popen([PYTHON, "-B", "-c", HTTPBIN, str(port)], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        super().__init__(child, port)
        wait_until_open(port, child)


def express(place):
    """A copy of express.mjs beside the packages it needs, which are installed once; None without."""
    if not shutil.which("node") or not shutil.which("npm"):
        return None
    os.makedirs(place, exist_ok=True)
    if not os.path.exists(os.path.join(place, "node_modules", "express-rate-limit")):
        with open(os.path.join(place, "package.json"), "w", encoding="ascii") as file:
            file.write('{ "private": true }')
        said = subprocess.run(["npm", "install", "--prefix", place, "--no-audit", "--no-fund", "--loglevel", "error",
                               "express@4", "express-rate-limit@7"], timeout=300, check=False)
        if said.returncode != 0:
            return None
    return shutil.copy(os.path.join(HERE, "express.mjs"), place)


@contextlib.contextmanager
def running(weather, directory, binary, packages):
    os.makedirs(directory)
    made = {"own": lambda: Own(weather, directory), "serve": lambda: Serve(weather, directory, binary),
            "nginx": lambda: Nginx(weather, directory), "express": lambda: Express(weather, packages),
            "httpbin": Httpbin}[weather.server]()
    try:
        yield made
    finally:
        made.end()
