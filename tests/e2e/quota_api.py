"""An API that counts requests in fixed windows, tells so in X-RateLimit headers, and keeps a log of what it answered."""

import http.server
import json
import threading
import time


class QuotaApi(http.server.ThreadingHTTPServer):
    """/items/N. `limit` requests in `window_s`, for all together, or for each User-Agent where `by_agent`: a stand-in
    for addresses. With `tells` False answers say nothing of the limit, and a refusal is a bare 429."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, limit, window_s, delay_s=0.02, by_agent=False, tells=True):
        super().__init__(("127.0.0.1", 0), Handler)
        self.limit, self.window_s, self.delay_s, self.by_agent, self.tells = limit, window_s, delay_s, by_agent, tells
        self.lock = threading.Lock()
        self.windows, self.log = {}, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def count(self, agent):
        """(status, remaining, seconds to the reset)"""
        now = time.monotonic()
        with self.lock:
            key = agent if self.by_agent else ""
            end, left = self.windows.get(key, (0, 0))
            if now >= end:
                end, left = now + self.window_s, self.limit
            status = 200 if left else 429
            left = max(left - 1, 0)
            self.windows[key] = end, left
            self.log.append((now, status, agent))
        return status, left, end - now

    def refused(self):
        with self.lock:
            return sum(status == 429 for _, status, _ in self.log)

    def most_in(self, seconds):
        """Requests in any span of that length, refused ones too."""
        times, most, first = sorted(at for at, _, _ in self.log), 0, 0
        for at, moment in enumerate(times):
            while moment - times[first] > seconds:
                first += 1
            most = max(most, at - first + 1)
        return most


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status, left, reset_s = self.server.count(self.headers.get("User-Agent", ""))
        time.sleep(self.server.delay_s)
        body = json.dumps({"path": self.path}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.server.tells:
            self.send_header("X-RateLimit-Limit", str(self.server.limit))
            self.send_header("X-RateLimit-Remaining", str(left))
            self.send_header("X-RateLimit-Reset-After", f"{max(reset_s, 0.001):.3f}")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except (ConnectionError, BrokenPipeError):
            pass
