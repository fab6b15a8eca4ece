"""Limits as servers have them. Each is told the time and says how long until it would let one in; 0 lets in now.

What is refused is not counted, as most of them have it; one counts it.
"""

import collections
import random


class Bucket:
    """Tokens that come at a rate, up to a burst: nginx's limit_req with nodelay is one, too."""

    def __init__(self, rate_per_s, burst):
        self.rate_per_s, self.burst = rate_per_s, burst
        self.tokens, self.then = burst, None

    def wait_s(self, now):
        if self.then is not None:
            self.tokens = min(self.burst, self.tokens + (now - self.then) * self.rate_per_s)
        self.then = now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0
        return (1 - self.tokens) / self.rate_per_s


class StrictBucket:
    """The same, and what is refused takes a token, too: who hammers is refused for long."""

    def __init__(self, rate_per_s, burst):
        self.rate_per_s, self.burst = rate_per_s, burst
        self.tokens, self.then = burst, None

    def wait_s(self, now):
        if self.then is not None:
            self.tokens = min(self.burst, self.tokens + (now - self.then) * self.rate_per_s)
        self.then = now
        self.tokens = max(self.tokens - 1, -self.burst)
        return 0 if self.tokens >= 0 else -self.tokens / self.rate_per_s


class FixedWindow:
    """So many in each window of the clock."""

    def __init__(self, count, window_s):
        self.count, self.window_s = count, window_s
        self.window, self.used = None, 0

    def wait_s(self, now):
        window = int(now / self.window_s)
        if window != self.window:
            self.window, self.used = window, 0
        if self.used < self.count:
            self.used += 1
            return 0
        return (window + 1) * self.window_s - now

    @property
    def left(self):
        return self.count - self.used

    def ends_in_s(self, now):
        return self.window_s - now % self.window_s


class SlidingWindow:
    """So many in any stretch of so many seconds."""

    def __init__(self, count, window_s):
        self.count, self.window_s = count, window_s
        self.times = collections.deque()

    def wait_s(self, now):
        while self.times and self.times[0] <= now - self.window_s:
            self.times.popleft()
        if len(self.times) < self.count:
            self.times.append(now)
            return 0
        return self.times[0] + self.window_s - now


class Changes:
    """One limiter, and another after a while."""

    def __init__(self, first, after_s, then):
        self.first, self.after_s, self.then = first, after_s, then

    def wait_s(self, now):
        return (self.first if now < self.after_s else self.then).wait_s(now)


class Shared:
    """A limiter of which another client spends, who asks so often and obeys nothing; in each `each_s` for `on_s`."""

    def __init__(self, limiter, others_per_s, each_s=1, on_s=1):
        self.limiter, self.others_per_s, self.each_s, self.on_s = limiter, others_per_s, each_s, on_s
        self.luck, self.next = random.Random(1), None

    def wait_s(self, now):
        self.next = now if self.next is None else self.next
        while self.next <= now:
            if self.next % self.each_s < self.on_s:
                self.limiter.wait_s(self.next)
            self.next += self.luck.uniform(0.5, 1.5) / self.others_per_s
        return self.limiter.wait_s(now)
