#include "table/postgres/postgres_place.h"

#include "base/os.h"
#include "base/str.h"
#include "base/url_make.h"

#include <stdlib.h>
#include <string.h>

#define PLACES_MAX 16
#define UNCLEAR "***"

struct place {
    char *url; /* as it is shown */
    char *password, *tls_password;
};

static struct {
    struct place list[PLACES_MAX];
    size_t count;
} places;

static const char *const schemes[] = { "postgresql://", "postgres://" };

#define SCHEME_COUNT (sizeof schemes / sizeof schemes[0])

bool postgres_place_is(const char *path)
{
    for (size_t i = 0; i < SCHEME_COUNT; i++) {
        if (strncmp(path, schemes[i], strlen(schemes[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* Takes the bytes from `from` to `to` out of the text, and leaves nothing of them behind its end. */
static void cut(char *from, char *to)
{
    size_t rest = strlen(to), gone = (size_t)(to - from);

    memmove(from, to, rest);
    memset(from + rest, 0, gone);
}

/* What it means without its percent escapes. A plus is a plus in such a URL. */
static char *decoded(const char *from, const char *to)
{
    size_t len = (size_t)(to - from);
    char *text = calloc(1, 3 * len + 1), *made = calloc(1, 3 * len + 1);
    size_t at = 0;

    for (size_t i = 0; text && i < len; i++) {
        if (from[i] == '+') {
            memcpy(text + at, "%2B", 3);
            at += 3;
        } else {
            text[at++] = from[i];
        }
    }
    if (text && made) {
        made[url_decode((struct str){ text, at }, made).len] = '\0';
        memset(text, 0, at);
    }
    free(text);
    return made;
}

/* Whether this can be HOST:PORT: else what stands after the colon is a part of a password. */
static bool may_be_host(const char *from, size_t len)
{
    const char *colon = os_memrchr(from, ':', len);

    return !colon || from[len - 1] == ']' ||
           colon + 1 + strspn(colon + 1, "0123456789") == from + len;
}

/* USER:PASSWORD@ before the first slash, as libpq reads it: a question mark may be within. */
static void hide_user(char *rest, struct place *place)
{
    char *end = rest + strcspn(rest, "@/"), *last = NULL, *colon, *query = NULL;
    size_t len;

    if (*end == '@' || may_be_host(rest, strcspn(rest, "/?"))) {
        query = strchr(*end == '@' ? end : rest, '?');
    }
    len = query ? (size_t)(query - rest) : strlen(rest);
    for (size_t i = 0; i < len; i++) {
        last = rest[i] == '@' ? rest + i : last;
    }
    if (!last) {
        return;
    }
    colon = memchr(rest, ':', (size_t)(last - rest));
    if (*end != '@' || end != last) { /* an @ or / within something: what of it is secret? */
        if (colon && colon + sizeof UNCLEAR <= last) {
            memcpy(colon + 1, UNCLEAR, sizeof UNCLEAR - 1);
            cut(colon + sizeof UNCLEAR, last);
        } else {
            memset(rest, '*', (size_t)(last - rest));
        }
    } else if (colon) {
        place->password = decoded(colon + 1, last);
        cut(colon, last);
    }
}

/* Whether it is NAME=..., as libpq reads it: a name may have percent escapes, too. */
static bool is_parameter(const char *begin, const char *end, const char *name)
{
    const char *equals = memchr(begin, '=', (size_t)(end - begin));
    char *key = equals ? decoded(begin, equals) : NULL;
    bool is = key && strcmp(key, name) == 0;

    free(key);
    return is;
}

/* password=... of the parameters, with one of the signs around it. */
static void hide_parameter(char *url, const char *name, char **value)
{
    char *at = strchr(url, '?');

    while (at) {
        char *begin = at + 1, *end = begin + strcspn(begin, "&");

        if (is_parameter(begin, end, name)) {
            free(*value);
            *value = decoded(strchr(begin, '=') + 1, end);
            if (*end == '&') {
                cut(begin, end + 1);
            } else {
                cut(at, end);
            }
            at = strchr(url, '?');
        } else {
            at = *end ? end : NULL;
        }
    }
}

static void hide(char *url)
{
    struct place place = { .url = NULL };

    hide_user(strstr(url, "://") + 3, &place);
    hide_parameter(url, "password", &place.password);
    hide_parameter(url, "sslpassword", &place.tls_password);
    place.url = place.password || place.tls_password ? strdup(url) : NULL;
    if (place.url && places.count < PLACES_MAX) {
        places.list[places.count++] = place;
        return;
    }
    free(place.url);
    free(place.password);
    free(place.tls_password);
}

void postgres_place_hide(int count, char **words)
{
    for (int i = 0; i < count; i++) {
        for (size_t s = 0; s < SCHEME_COUNT; s++) {
            char *url = strstr(words[i], schemes[s]); /* --to=URL, too */

            if (url) {
                hide(url);
                break;
            }
        }
    }
}

enum result postgres_place_check(const char *url, struct err *err)
{
    const char *rest = strstr(url, "://") + 3;
    const char *unclear = strstr(rest, UNCLEAR "@");
    size_t authority = strcspn(rest, "?");

    return unclear && unclear < rest + authority
               ? err_set(
                     err, RESULT_INVALID, "E-ARG1",
                     "%s: write @ as %%40, / as %%2F and : as %%3A within the user, the password "
                     "and the database of a URL; PGPASSWORD or ~/.pgpass have the password, too",
                     url)
               : RESULT_OK;
}

struct postgres_secret postgres_place_secret(const char *url)
{
    for (size_t i = 0; i < places.count; i++) {
        if (strcmp(places.list[i].url, url) == 0) {
            return (struct postgres_secret){ places.list[i].password, places.list[i].tls_password };
        }
    }
    return (struct postgres_secret){ NULL, NULL };
}
