/* Where servers are found, other than by their names. */
#include "job/job_network.h"

#include "job/job_parts.h"
#include "job/job_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static void release_list(char **list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(list[i]);
    }
    free(list);
}

void job_route_release(struct job_route *route)
{
    release_list(route->resolve, route->resolve_count);
    release_list(route->connect_to, route->connect_to_count);
    free(route->unix_socket);
    free(route->interface);
    *route = (struct job_route){ .resolve = NULL };
}

/* One that is there already is not added: a resumed run has those of its command line. */
static enum result add(char ***list, size_t *count, const char *text, struct err *err)
{
    char **longer, *copy;

    for (size_t i = 0; i < *count; i++) {
        if (strcmp((*list)[i], text) == 0) {
            return RESULT_OK;
        }
    }
    if (*count == JOB_ROUTES_MAX) {
        return err_set(err, RESULT_LIMIT, "E-NET1", "more than %d of them", JOB_ROUTES_MAX);
    }
    longer = reallocarray(*list, *count + 1, sizeof *longer);
    copy = str_dup(str_view(text));
    if (longer) {
        *list = longer;
    }
    if (!longer || !copy) {
        free(copy);
        return err_nomem(err, "reading the job");
    }
    longer[(*count)++] = copy;
    return RESULT_OK;
}

/* "[::1]" as one part. */
static struct str take_host(struct str *rest)
{
    const char *end = rest->len && rest->data[0] == '[' ? memchr(rest->data, ']', rest->len) : NULL;
    struct str host, tail;

    if (!end) {
        return str_cut(rest, ':');
    }
    host = (struct str){ rest->data, (size_t)(end - rest->data) + 1 };
    tail = (struct str){ end + 1, rest->len - host.len };
    *rest =
        tail.len && tail.data[0] == ':' ? (struct str){ tail.data + 1, tail.len - 1 } : STR_NONE;
    return host;
}

static bool is_port(struct str port)
{
    uint64_t number;

    return str_to_u64(port, &number) && number > 0 && number <= 65535;
}

static bool is_address(struct str text)
{
    char address[INET6_ADDRSTRLEN];
    unsigned char bytes[sizeof(struct in6_addr)];

    if (text.len > 2 && text.data[0] == '[' && text.data[text.len - 1] == ']') {
        text = (struct str){ text.data + 1, text.len - 2 };
    }
    if (!text.len || text.len >= sizeof address) {
        return false;
    }
    memcpy(address, text.data, text.len);
    address[text.len] = '\0';
    return inet_pton(AF_INET, address, bytes) == 1 || inet_pton(AF_INET6, address, bytes) == 1;
}

enum result job_add_resolve(struct job *job, const char *text, struct err *err)
{
    struct job_route *route = &job->network.route;
    struct str rest = str_view(text), host = take_host(&rest), port = str_cut(&rest, ':');
    bool ok = host.len && is_port(port) && rest.len;

    while (ok && rest.len) {
        ok = is_address(str_cut(&rest, ','));
    }
    return ok ? add(&route->resolve, &route->resolve_count, text, err)
              : err_set(err, RESULT_INVALID, "E-NET1",
                        "\"%.64s\": want HOST:PORT:ADDRESS, for example example.org:443:127.0.0.1",
                        text);
}

enum result job_add_connect_to(struct job *job, const char *text, struct err *err)
{
    struct job_route *route = &job->network.route;
    struct str rest = str_view(text);
    bool ok;

    (void)take_host(&rest);
    ok = rest.data;
    if (ok) {
        struct str port = str_cut(&rest, ':');

        ok = rest.data && (!port.len || is_port(port));
    }
    if (ok) {
        (void)take_host(&rest);
        ok = rest.data && (!rest.len || is_port(rest));
    }
    return ok ? add(&route->connect_to, &route->connect_to_count, text, err)
              : err_set(err, RESULT_INVALID, "E-NET1",
                        "\"%.64s\": want HOST:PORT:HOST:PORT; an empty part is any, or the same",
                        text);
}

enum result job_set_unix_socket(struct job *job, const char *path, struct err *err)
{
    char *absolute = realpath(path, NULL);
    enum result result;

    if (!absolute) {
        return err_set_errno(err, errno, "E-NET1", "socket %s", path);
    }
    result = strlen(absolute) < sizeof((struct sockaddr_un *)0)->sun_path
                 ? job_replace(&job->network.route.unix_socket, str_view(absolute), err)
                 : err_set(err, RESULT_INVALID, "E-NET1", "socket %s: its path is too long", path);
    free(absolute);
    return result;
}

/* "if!NAME" and "host!NAME" are curl's ways to say which it is. */
enum result job_set_interface(struct job *job, const char *text, struct err *err)
{
    bool is_told = strncmp(text, "if!", 3) == 0 || strncmp(text, "host!", 5) == 0;

    if (!is_told && !is_address(str_view(text)) && !if_nametoindex(text)) {
        return err_set(err, RESULT_INVALID, "E-NET1",
                       "\"%.64s\" is neither a network interface here nor an address", text);
    }
    return job_replace(&job->network.route.interface, str_view(text), err);
}

enum result job_check_network(const struct job_network *network, struct err *err)
{
    const struct job_tls *tls = &network->tls;

    if ((tls->key || tls->pass.sent) && !tls->cert) {
        return err_set(
            err, RESULT_INVALID, "E-TLS4",
            "a key or a pass phrase is given (--key, --pass), but no certificate: give --cert");
    }
    if (network->route.unix_socket && network->proxy.url && network->proxy.url[0]) {
        return err_set(err, RESULT_INVALID, "E-NET1",
                       "--unix-socket and --proxy both say where to connect: give one of them");
    }
    if (network->proxy.file && network->proxy.url) {
        return err_set(err, RESULT_INVALID, "E-PRX1",
                       "--proxy is one proxy, --proxies are several: give one of them");
    }
    if (network->route.ipv4 && network->route.ipv6) {
        return err_set(err, RESULT_INVALID, "E-NET1",
                       "--ipv4 and --ipv6 exclude each other: give one of them");
    }
    return tls->is_incomplete
               ? err_set(err, RESULT_INVALID, "E-SEC3",
                         "the pass phrase of the key was typed and so not kept; give --pass again, "
                         "better with ${ENV} or @FILE")
               : RESULT_OK;
}
