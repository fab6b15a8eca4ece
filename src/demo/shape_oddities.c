/*
 * What a client must survive: redirects, odd statuses, answers that are late, and limits that tell
 * their end in each of the forms that HTTP allows.
 */
#include "demo/world.h"

#include "demo/draw.h"
#include "base/json_write.h"

#include "base/clock.h"

#include <time.h>

#define REDIRECTS_MAX 100
#define LOCATION_MAX 8000
#define PAUSE_MAX_MS 600000
#define RETRY_AFTER_MAX_S 86400
#define KEY_MAX 128

/* Hop N leads to hop N-1, the last to a post; the addresses are relative. */
void shape_redirect(struct world *world, const struct ask *ask, struct reply *reply)
{
    uint64_t hops;

    (void)world;
    if (!str_to_u64(ask->in_path[0], &hops) || hops < 1 || hops > REDIRECTS_MAX) {
        reply_error(reply, 404, "from 1 to %d redirects", REDIRECTS_MAX);
        return;
    }
    reply->status = 302;
    reply->type = NULL;
    if (hops > 1) {
        reply_header(reply, "Location", "/redirect/%llu", (unsigned long long)(hops - 1));
    } else {
        reply_header(reply, "Location", "/posts/1");
    }
}

static bool has_control(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7F) {
            return true;
        }
    }
    return false;
}

void shape_redirect_to(struct world *world, const struct ask *ask, struct reply *reply)
{
    char location[LOCATION_MAX];
    uint64_t status = 302;
    size_t len;

    (void)world;
    if (ask_param(ask, "url", location, sizeof location, &len) != ASK_FOUND || !len ||
        has_control(location) || !ask_param_number(ask, "status", 301, 308, &status) ||
        (status > 303 && status < 307)) {
        reply_error(reply, 400, "want url=..., and status 301, 302, 303, 307 or 308");
        return;
    }
    reply->status = (unsigned)status;
    reply->type = NULL;
    reply_header(reply, "Location", "%s", location);
}

/* A list, because names may repeat and their order may matter to who asks. */
void shape_headers(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);

    (void)world;
    json_write_object(&j, NULL);
    json_write_text(&j, "method", ask->method);
    json_write_array(&j, "headers");
    for (size_t i = 0; i < ask->header_count; i++) {
        json_write_object(&j, NULL);
        json_write_text(&j, "name", ask->headers[i].name);
        json_write_text(&j, "value", ask->headers[i].value);
        json_write_object_end(&j);
    }
    json_write_array_end(&j);
    json_write_object_end(&j);
    reply->result = j.result;
}

void shape_status(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);
    uint64_t status;

    (void)world;
    if (!str_to_u64(ask->in_path[0], &status) || status < 200 || status > 599) {
        reply_error(reply, 404, "statuses from 200 to 599");
        return;
    }
    reply->status = (unsigned)status;
    if (status == 204 || status == 205 || status == 304) { /* these have no body */
        reply->type = NULL;
        return;
    }
    json_write_object(&j, NULL);
    json_write_uint(&j, "status", status);
    json_write_object_end(&j);
    reply->result = j.result;
}

void shape_slow(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);
    uint64_t ms = 1000;

    (void)world;
    if (!ask_param_number(ask, "ms", 0, PAUSE_MAX_MS, &ms)) {
        reply_error(reply, 400, "ms is within 0 and %d", PAUSE_MAX_MS);
        return;
    }
    reply->pause_us = ms * US_PER_MS;
    json_write_object(&j, NULL);
    json_write_uint(&j, "waited_ms", ms);
    json_write_object_end(&j);
    reply->result = j.result;
}

/* The three forms of RFC 9110 section 5.6.7. strftime would ask the locale for the names. */
static void add_retry_date(struct reply *reply, struct str form, int64_t at_s)
{
    static const char *const days[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
                                        "Thursday", "Friday", "Saturday" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    time_t at = (time_t)at_s;
    struct tm t;

    gmtime_r(&at, &t);
    if (str_equal(form, STR("imf"))) {
        reply_header(reply, "Retry-After", "%.3s, %02d %s %d %02d:%02d:%02d GMT", days[t.tm_wday],
                     t.tm_mday, months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
    } else if (str_equal(form, STR("rfc850"))) {
        reply_header(reply, "Retry-After", "%s, %02d-%s-%02d %02d:%02d:%02d GMT", days[t.tm_wday],
                     t.tm_mday, months[t.tm_mon], t.tm_year % 100, t.tm_hour, t.tm_min, t.tm_sec);
    } else {
        reply_header(reply, "Retry-After", "%.3s %s %2d %02d:%02d:%02d %d", days[t.tm_wday],
                     months[t.tm_mon], t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, t.tm_year + 1900);
    }
}

static bool is_date_form(struct str form)
{
    return str_equal(form, STR("imf")) || str_equal(form, STR("rfc850")) ||
           str_equal(form, STR("asctime"));
}

/* Whether `key` is asked for the first time. */
static bool is_first_ask(struct world *world, struct str key)
{
    struct asked_slot *slot = asked_slot(world->asked, draw_hash(world->seed, DRAW_RETRY_KEY, key));
    bool is_first = slot->count == 0;

    slot->count = slot->count < UINT32_C(1) << 30 ? slot->count + 1 : slot->count;
    slot->owed = 1; /* must be remembered: a second 429 would surprise a test */
    return is_first;
}

void shape_retry_after(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);
    char form[16] = "seconds", key[KEY_MAX] = "";
    size_t form_len = 7, key_len = 0;
    uint64_t seconds = 1;
    struct str how;

    if (ask_param(ask, "form", form, sizeof form, &form_len) == ASK_MALFORMED ||
        ask_param(ask, "key", key, sizeof key, &key_len) == ASK_MALFORMED ||
        !ask_param_number(ask, "s", 0, RETRY_AFTER_MAX_S, &seconds)) {
        reply_error(reply, 400, "want form=, s= up to %d and a short key=", RETRY_AFTER_MAX_S);
        return;
    }
    how = str_view(form);
    if (!is_date_form(how) && !str_equal(how, STR("seconds"))) {
        reply_error(reply, 400, "form is one of seconds, imf, rfc850, asctime");
        return;
    }
    if (!is_first_ask(world, (struct str){ key, key_len })) {
        json_write_object(&j, NULL);
        json_write_text(&j, "key", (struct str){ key, key_len });
        json_write_object_end(&j);
        reply->result = j.result;
        return;
    }
    reply_error(reply, 429, "not yet");
    if (is_date_form(how)) {
        /* Rounded up, so that nobody who keeps to the header comes too early. */
        int64_t now_s = (ask->wall_us + (int64_t)US_PER_S - 1) / (int64_t)US_PER_S;

        add_retry_date(reply, how, now_s + (int64_t)seconds);
    } else {
        reply_header(reply, "Retry-After", "%llu", (unsigned long long)seconds);
    }
}
