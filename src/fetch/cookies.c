#include "fetch/cookies.h"

#include "base/os.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

#define LINE_MAX_BYTES 5000 /* libcurl's own limit (MAX_COOKIE_LINE) */
#define FIELDS 7
#define HTTP_ONLY "#HttpOnly_"
#define PER_ANSWER_MAX 50 /* libcurl takes no more of one (MAX_SET_COOKIE_AMOUNT) */

struct cookies {
    uv_mutex_t mutex; /* recursive: libcurl locks each step, and we several together */
    CURLSH *share;
    CURL *easy;     /* reads and writes the jar; never asks anything */
    unsigned noted; /* answers that set cookies since it was last trimmed */
};

static void on_lock(CURL *easy, curl_lock_data what, curl_lock_access how, void *cookies)
{
    (void)easy;
    (void)what;
    (void)how;
    uv_mutex_lock(&((struct cookies *)cookies)->mutex);
}

static void on_unlock(CURL *easy, curl_lock_data what, void *cookies)
{
    (void)easy;
    (void)what;
    uv_mutex_unlock(&((struct cookies *)cookies)->mutex);
}

/* What libcurl locks for is told apart by it, and need not be by us: all of it takes microseconds. */
static bool lock_share(struct cookies *c)
{
    return curl_share_setopt(c->share, CURLSHOPT_LOCKFUNC, on_lock) == CURLSHE_OK &&
           curl_share_setopt(c->share, CURLSHOPT_UNLOCKFUNC, on_unlock) == CURLSHE_OK &&
           curl_share_setopt(c->share, CURLSHOPT_USERDATA, c) == CURLSHE_OK;
}

enum result cookies_new(struct cookies **made, struct err *err)
{
    struct cookies *c = calloc(1, sizeof *c);
    bool ok;

    if (!c || uv_mutex_init_recursive(&c->mutex) != 0) {
        free(c);
        return err_nomem(err, "keeping cookies");
    }
    c->share = curl_share_init();
    c->easy = curl_easy_init();
    ok = c->share && c->easy && lock_share(c) &&
         curl_share_setopt(c->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE) == CURLSHE_OK;
    if (ok) { /* one list of public suffixes for all lanes; a libcurl without libpsl says no */
        (void)curl_share_setopt(c->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_PSL);
        ok = curl_easy_setopt(c->easy, CURLOPT_SHARE, c->share) == CURLE_OK;
    }
    if (!ok) {
        cookies_free(c);
        return err_nomem(err, "keeping cookies");
    }
    *made = c;
    return RESULT_OK;
}

void cookies_free(struct cookies *c)
{
    if (c) {
        curl_easy_cleanup(c->easy);
        curl_share_cleanup(c->share);
        uv_mutex_destroy(&c->mutex);
        free(c);
    }
}

CURLSH *cookies_share(const struct cookies *c)
{
    return c->share;
}

bool cookie_line_split(struct str line, struct cookie_line *parts)
{
    struct str fields[FIELDS];

    line = str_trim(line);
    if (str_starts(line, STR(HTTP_ONLY))) {
        line.data += sizeof HTTP_ONLY - 1;
        line.len -= sizeof HTTP_ONLY - 1;
    }
    if (!line.len || line.len > LINE_MAX_BYTES || line.data[0] == '#' ||
        memchr(line.data, '\0', line.len)) {
        return false;
    }
    for (size_t i = 0; i < FIELDS; i++) {
        fields[i] = str_cut(&line, '\t');
        if (!fields[i].data) {
            fields[i] = STR("");
        }
        if (i < FIELDS - 2 && !fields[i].len) {
            return false;
        }
    }
    *parts = (struct cookie_line){ fields[0], fields[FIELDS - 2], fields[FIELDS - 1] };
    return parts->name.len > 0;
}

bool cookie_header_split(struct str header, struct cookie_line *parts)
{
    struct str pair = str_cut(&header, ';');

    *parts = (struct cookie_line){ .domain = STR("") };
    parts->value = pair;
    parts->name = str_trim(str_cut(&parts->value, '='));
    parts->value = str_trim(parts->value.data ? parts->value : STR(""));
    while (header.data) {
        struct str value = str_cut(&header, ';'), name = str_trim(str_cut(&value, '='));

        if (str_equal_nocase(name, STR("Domain")) && value.data) {
            parts->domain = str_trim(value);
        }
    }
    return parts->name.len > 0;
}

bool cookie_domain_matches(struct str host, struct str domain)
{
    struct str tail;

    if (domain.len && domain.data[0] == '.') {
        domain.data++;
        domain.len--;
    }
    if (!domain.len || str_equal_nocase(host, domain)) {
        return true;
    }
    if (host.len <= domain.len || host.data[host.len - domain.len - 1] != '.') {
        return false;
    }
    tail = (struct str){ host.data + host.len - domain.len, domain.len };
    return str_equal_nocase(tail, domain);
}

/* A command of libcurl ("ALL", "FLUSH") is no cookie, and is not handed on. */
static bool add_line(struct cookies *c, struct str line)
{
    struct cookie_line parts;
    char *copy;
    bool good;

    if (!cookie_line_split(line, &parts)) {
        return false;
    }
    copy = str_dup(str_trim(line));
    good = copy && curl_easy_setopt(c->easy, CURLOPT_COOKIELIST, copy) == CURLE_OK;
    if (copy) {
        os_wipe(copy, strlen(copy));
    }
    free(copy);
    return good;
}

size_t cookies_load(struct cookies *c, struct str text)
{
    size_t count = 0;

    uv_mutex_lock(&c->mutex);
    while (text.data && text.len) {
        count += add_line(c, str_cut(&text, '\n'));
    }
    uv_mutex_unlock(&c->mutex);
    return count;
}

static struct curl_slist *list_all(struct cookies *c)
{
    struct curl_slist *list = NULL;

    curl_easy_getinfo(c->easy, CURLINFO_COOKIELIST, &list);
    return list;
}

static void free_all(struct curl_slist *list)
{
    for (struct curl_slist *at = list; at; at = at->next) {
        os_wipe(at->data, strlen(at->data));
    }
    curl_slist_free_all(list);
}

static struct str domain_of(const char *line)
{
    struct cookie_line parts = { .domain = STR("") };

    (void)cookie_line_split(str_view(line), &parts);
    return parts.domain;
}

static int by_domain(const void *a, const void *b)
{
    const struct str *x = a, *y = b;
    size_t len = x->len < y->len ? x->len : y->len;
    int order = strncasecmp(x->data, y->data, len);

    return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* The domain with the most cookies; the empty one when there is no memory to count them. */
static struct str find_greedy(const struct curl_slist *list, size_t count)
{
    struct str *domains = calloc(count, sizeof *domains), greedy = STR("");
    size_t most = 0, run = 0, i = 0;

    for (const struct curl_slist *at = list; domains && at; at = at->next) {
        domains[i++] = domain_of(at->data);
    }
    if (domains) {
        qsort(domains, i, sizeof *domains, by_domain);
    }
    for (size_t j = 0; j < i; j++) {
        run = j && by_domain(&domains[j - 1], &domains[j]) == 0 ? run + 1 : 1;
        if (run > most) {
            most = run;
            greedy = domains[j];
        }
    }
    free(domains);
    return greedy;
}

/* Without the greedy one there may still be too many: then some of the others go as well. */
static void trim(struct cookies *c)
{
    struct curl_slist *list = list_all(c);
    struct str greedy;
    size_t count = 0, kept = 0;

    for (const struct curl_slist *at = list; at; at = at->next) {
        count++;
    }
    if (count > COOKIES_MAX) {
        greedy = find_greedy(list, count);
        curl_easy_setopt(c->easy, CURLOPT_COOKIELIST, "ALL");
        for (const struct curl_slist *at = list; at && kept < COOKIES_MAX; at = at->next) {
            if (!str_equal_nocase(domain_of(at->data), greedy)) {
                kept += add_line(c, str_view(at->data));
            }
        }
    }
    free_all(list);
}

/* In between nobody asks without a cookie that it should have. */
void cookies_trim(struct cookies *c)
{
    uv_mutex_lock(&c->mutex);
    trim(c);
    uv_mutex_unlock(&c->mutex);
}

void cookies_note(struct cookies *c)
{
    uv_mutex_lock(&c->mutex);
    if (++c->noted >= COOKIES_MAX / PER_ANSWER_MAX) {
        c->noted = 0;
        trim(c);
    }
    uv_mutex_unlock(&c->mutex);
}

static enum result write_all(struct cookies *c, struct buf *out)
{
    struct curl_slist *list = list_all(c);
    enum result result = buf_append_str(out, STR("# Netscape HTTP Cookie File\n"));

    for (const struct curl_slist *at = list; at && result == RESULT_OK; at = at->next) {
        if (out->len + strlen(at->data) + 1 > COOKIES_TEXT_MAX) {
            continue; /* a longer text could not be read again */
        }
        result = buf_append_str(out, str_view(at->data));
        if (result == RESULT_OK) {
            result = buf_append_char(out, '\n');
        }
    }
    free_all(list);
    return result;
}

enum result cookies_write(struct cookies *c, struct buf *out)
{
    enum result result;

    uv_mutex_lock(&c->mutex);
    result = write_all(c, out);
    uv_mutex_unlock(&c->mutex);
    return result;
}
