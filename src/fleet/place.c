#include "fleet/place.h"

#include "base/clock.h"
#include "base/units.h"

#include <stdio.h>
#include <string.h>

#define PORT 6379
#define LEASE_MS 15000
#define LEASE_MIN_MS 1000
#define LEASE_MAX_MS 600000

static enum result refuse(struct err *err, const char *what)
{
    return err_set(err, RESULT_INVALID, "E-FLEET1",
                   "%s; want redis://HOST/JOB, rediss://HOST/JOB or unix:///PATH/redis.sock#JOB",
                   what);
}

/* False: it is empty, or has no room. */
static bool take(struct str text, char *to, size_t size)
{
    if (!text.len || text.len >= size || memchr(text.data, '\0', text.len)) {
        return false;
    }
    memcpy(to, text.data, text.len);
    to[text.len] = '\0';
    return true;
}

static bool take_job(struct str text, struct fleet_place *place)
{
    static const char may[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

    return take(text, place->job, sizeof place->job) &&
           strspn(place->job, may) == strlen(place->job);
}

/* A file of TLS: its whole path, so that a run is gone on with from wherever. False: it is none of them. */
static bool take_file(struct str name, struct str value, struct fleet_place *place)
{
    char *to = str_equal(name, STR("cacert")) ? place->ca_file
               : str_equal(name, STR("cert")) ? place->cert_file
               : str_equal(name, STR("key"))  ? place->key_file
                                              : NULL;

    return to && place->is_tls && take(value, to, FLEET_FILE_MAX) && to[0] == '/';
}

static enum result take_setting(struct str setting, struct fleet_place *place, struct err *err)
{
    struct str value = setting, name = str_cut(&value, '=');
    uint64_t number;

    if (str_equal(name, STR("db")) &&
        units_parse_count(value, 0, 1000000, &number, NULL) == RESULT_OK) {
        place->database = (unsigned)number;
        return RESULT_OK;
    }
    if (str_equal(name, STR("lease")) && units_parse_time(value, &number, NULL) == RESULT_OK &&
        number >= LEASE_MIN_MS * US_PER_MS && number <= LEASE_MAX_MS * US_PER_MS) {
        place->lease_ms = (unsigned)(number / US_PER_MS);
        return RESULT_OK;
    }
    if (take_file(name, value, place)) {
        return RESULT_OK;
    }
    return refuse(err, "after ? may stand db=N and lease=TIME, from 1s to 10m, and for rediss:// "
                       "cacert=, cert= and key=, each with a file's whole path");
}

static enum result take_settings(struct str rest, struct fleet_place *place, struct err *err)
{
    enum result result = RESULT_OK;

    while (result == RESULT_OK && rest.len) {
        result = take_setting(str_cut(&rest, '&'), place, err);
    }
    return result;
}

static bool take_authority(struct str text, struct fleet_place *place)
{
    struct str host = text, port = STR_NONE;
    uint64_t number = PORT;
    const char *end;

    if (host.len && host.data[0] == '[' && (end = memchr(host.data, ']', host.len)) != NULL) {
        port = (struct str){ end + 1, host.len - (size_t)(end + 1 - host.data) };
        host = (struct str){ host.data + 1, (size_t)(end - host.data) - 1 };
        if (port.len && str_cut(&port, ':').len) {
            return false;
        }
    } else {
        port = host;
        host = str_cut(&port, ':');
    }
    if (port.data && port.len && units_parse_count(port, 1, 65535, &number, NULL) != RESULT_OK) {
        return false;
    }
    place->port = (unsigned)number;
    return take(host, place->host, sizeof place->host);
}

static enum result take_network(struct str rest, struct fleet_place *place, struct err *err)
{
    struct str authority = str_cut(&rest, '/'), user;
    const char *at = authority.len ? memchr(authority.data, '@', authority.len) : NULL;

    if (at) {
        user = str_cut(&authority, '@');
        if (memchr(user.data, ':', user.len)) {
            return refuse(err, "a password in the URL stands in `ps`: give it by " FLEET_PASSWORD);
        }
        if (!take(user, place->user, sizeof place->user)) {
            return refuse(err, "before @ stands no user");
        }
    }
    if (!take_authority(authority, place)) {
        return refuse(err, "no host, or a port that is none");
    }
    if (!take_job(str_cut(&rest, '?'), place)) {
        return refuse(err, "after the host stands the job's name: letters, digits, . _ -");
    }
    return take_settings(rest, place, err);
}

static enum result take_socket(struct str rest, struct fleet_place *place, struct err *err)
{
    if (!take(str_cut(&rest, '#'), place->socket, sizeof place->socket) ||
        place->socket[0] != '/') {
        return refuse(err, "the socket's path begins with / and has up to 103 bytes");
    }
    if (!take_job(str_cut(&rest, '?'), place)) {
        return refuse(err, "after # stands the job's name: letters, digits, . _ -");
    }
    return take_settings(rest, place, err);
}

bool fleet_place_is_meant(struct str word)
{
    return str_starts(word, STR("redis://")) || str_starts(word, STR("rediss://")) ||
           str_starts(word, STR("unix://"));
}

void fleet_place_show(struct str word, struct str *scheme, struct str *rest)
{
    const char *slashes = memmem(word.data, word.len, "://", 3);
    size_t head = slashes ? (size_t)(slashes - word.data) + 3 : 0;

    *scheme = (struct str){ word.data, head };
    *rest = (struct str){ word.data + head, word.len - head };
    for (const char *at; rest->len && (at = memchr(rest->data, '@', rest->len)) != NULL;) {
        rest->len -= (size_t)(at + 1 - rest->data); /* a password may have an @ in it */
        rest->data = at + 1;
    }
}

static bool ends_with_server(struct str url, struct str scheme, char before_job)
{
    struct str rest, job;

    if (!str_starts(url, scheme) || url.len == scheme.len) {
        return false;
    }
    rest = (struct str){ url.data + scheme.len, url.len - scheme.len };
    job = rest;
    (void)str_cut(&job, before_job);
    return !job.len && !memchr(rest.data, '?', rest.len);
}

enum result fleet_place_parse_server(struct str url, struct fleet_place *place, struct err *err)
{
    char whole[FLEET_PATH_MAX + FLEET_HOST_MAX + FLEET_NAME_MAX];
    bool is_socket = ends_with_server(url, STR("unix://"), '#');
    enum result result;

    if ((!is_socket && !ends_with_server(url, STR("redis://"), '/') &&
         !ends_with_server(url, STR("rediss://"), '/')) ||
        url.len > sizeof whole - 4) {
        return fleet_place_parse(url, place, err);
    }
    if (url.data[url.len - 1] == (is_socket ? '#' : '/')) {
        url.len--;
    }
    snprintf(whole, sizeof whole, "%.*s%cx", STR_ARG(url), is_socket ? '#' : '/');
    result = fleet_place_parse(str_view(whole), place, err);
    place->job[0] = '\0';
    return result;
}

enum result fleet_place_parse(struct str url, struct fleet_place *place, struct err *err)
{
    *place = (struct fleet_place){ .lease_ms = LEASE_MS };
    if (str_starts(url, STR("redis://"))) {
        return take_network((struct str){ url.data + 8, url.len - 8 }, place, err);
    }
    if (str_starts(url, STR("rediss://"))) {
        place->is_tls = true;
        return take_network((struct str){ url.data + 9, url.len - 9 }, place, err);
    }
    if (str_starts(url, STR("unix://"))) {
        return take_socket((struct str){ url.data + 7, url.len - 7 }, place, err);
    }
    return refuse(err, "not a URL of Redis");
}
