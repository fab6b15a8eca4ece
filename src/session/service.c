#include "session/service.h"

#include "base/clock.h"
#include "base/os.h"
#include "base/str.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define STATUS_EVERY_US (UINT64_C(5) * US_PER_S)
#define EXTENDED_BY_US (UINT64_C(15) * US_PER_S)
#define TEXT_MAX 640

static void tell(const struct service *s, const char *text)
{
    if (s->fd >= 0) {
        (void)!os_send(s->fd, text, strlen(text), false);
    }
}

static uint64_t watchdog_of_environment(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    uint64_t us, whose;

    if (!usec || !str_to_u64(str_view(usec), &us) ||
        (pid && (!str_to_u64(str_view(pid), &whose) || whose != (uint64_t)getpid()))) {
        return 0;
    }
    return us;
}

void service_open(struct service *s)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t len = name ? strlen(name) : 0;

    *s = (struct service){ .fd = -1 };
    if (len < 2 || len >= sizeof address.sun_path || (name[0] != '/' && name[0] != '@')) {
        return;
    }
    memcpy(address.sun_path, name, len);
    if (name[0] == '@') {
        address.sun_path[0] = '\0';
    }
    s->fd = os_socket(AF_UNIX, SOCK_DGRAM, 0);
    if (s->fd >= 0 && connect(s->fd, (const struct sockaddr *)&address,
                              (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0) {
        service_close(s);
    }
    s->watchdog_us = s->fd >= 0 ? watchdog_of_environment() : 0;
}

void service_close(struct service *s)
{
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
}

void service_ready(struct service *s)
{
    char text[64];

    snprintf(text, sizeof text, "READY=1\nMAINPID=%ld", (long)getpid());
    tell(s, text);
}

static void tell_alive(struct service *s, uint64_t now_us)
{
    if (s->watchdog_us && now_us - s->alive_us >= s->watchdog_us / 2) {
        s->alive_us = now_us;
        tell(s, "WATCHDOG=1");
    }
}

void service_tick(struct service *s, uint64_t now_us, const char *status)
{
    char text[TEXT_MAX];

    if (s->fd < 0) {
        return;
    }
    if (now_us - s->told_us >= STATUS_EVERY_US || !s->told_us) {
        s->told_us = now_us;
        snprintf(text, sizeof text, "STATUS=%s", status);
        tell(s, text);
    }
    tell_alive(s, now_us);
}

void service_still_ending(struct service *s, uint64_t now_us)
{
    char text[64];

    tell_alive(s, now_us);
    if (s->fd >= 0 && now_us - s->extended_us >= US_PER_S) {
        s->extended_us = now_us;
        snprintf(text, sizeof text, "EXTEND_TIMEOUT_USEC=%llu", (unsigned long long)EXTENDED_BY_US);
        tell(s, text);
    }
}

void service_stopping(struct service *s, uint64_t us)
{
    char text[96];

    if (!s->is_stopping) {
        s->is_stopping = true;
        snprintf(text, sizeof text, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%llu", (unsigned long long)us);
        tell(s, text);
    }
}
