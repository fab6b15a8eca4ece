#include "ui/notify.h"

#include "base/utf8.h"
#include "ui/format.h"

#include <stdio.h>
#include <string.h>

/* True when `now` has become true since the last look. */
static bool becomes(bool *told, bool now)
{
    bool news = now && !*told;

    *told = now;
    return news;
}

static const char *end_word(const struct snapshot *s)
{
    return s->state == RUN_DONE && s->failed ? "DONE, some failed" : run_state_word(s->state);
}

static const char *find_news(struct notify *n, const struct snapshot *s)
{
    bool ended = run_state_has_ended(s->state);
    bool waiting =
        s->state == RUN_ALL_WAITING || s->state == RUN_HELD || s->state == RUN_NETWORK_DOWN;
    bool end, throttled, stuck, disk;

    n->waiting_since_us = !waiting ? 0 : n->waiting_since_us ? n->waiting_since_us : s->now_us;
    end = becomes(&n->told_end, ended);
    throttled = becomes(&n->told_throttled, s->mix.throttled > 0);
    stuck = becomes(&n->told_waiting,
                    waiting && s->now_us - n->waiting_since_us >= NOTIFY_ALL_WAITING_US);
    disk = becomes(&n->told_disk, s->state == RUN_DISK_FULL);
    return end         ? end_word(s)
           : disk      ? "disk full"
           : stuck     ? "all requests wait"
           : throttled ? "first 429"
                       : NULL;
}

struct str notify_look(struct notify *n, const struct snapshot *s, char bytes[NOTIFY_BYTES_MAX])
{
    char name[128], percent[FORMAT_MAX], title[sizeof n->title];
    const char *news = find_news(n, s);
    size_t used = 0;

    utf8_display(name, sizeof name, str_view(s->name), 40);
    format_percent(s->ok + s->failed, s->total_known ? s->total : 0, percent);
    snprintf(title, sizeof title, "%s %s %s - scrapetop", percent, run_state_word(s->state), name);
    bytes[0] = '\0';
    if (strcmp(title, n->title) != 0) {
        memcpy(n->title, title, sizeof title);
        used += (size_t)snprintf(bytes, NOTIFY_BYTES_MAX, "\033]2;%s\033\\", title);
    }
    if (news) {
        used += (size_t)snprintf(bytes + used, NOTIFY_BYTES_MAX - used,
                                 "\007\033]9;scrapetop %s: %s\033\\", name, news);
    }
    return (struct str){ bytes, used };
}
