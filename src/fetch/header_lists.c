#include "fetch/header_lists.h"

#include "base/os.h"

#include <stdlib.h>
#include <string.h>

bool header_lists_add(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (longer) {
        *list = longer;
    }
    return longer != NULL;
}

/* "Name:" with any case, as the beginning of one of the lines. */
static bool is_among(const char *const *lines, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++) {
        struct str line = str_view(lines[i]);

        if (line.len > name.len && line.data[name.len] == ':' &&
            str_equal_nocase((struct str){ line.data, name.len }, name)) {
            return true;
        }
    }
    return false;
}

static struct str name_of(const char *line)
{
    struct str rest = str_view(line);

    return str_cut(&rest, ':');
}

static bool is_json_text(const char *body)
{
    struct str text = str_trim(str_view(body));

    return text.len && (text.data[0] == '{' || text.data[0] == '[');
}

/* The endpoint's own, those of the options that it does not replace, and what is not said by either. */
static bool build_list(const struct fetch_options *o, const struct fetch_endpoint *endpoint,
                       struct curl_slist **list)
{
    static const char *const usual[] = { "Accept: application/json", "Accept-Encoding: gzip",
                                         ("User-Agent: scrapetop/" SCRAPETOP_VERSION),
                                         "Content-Type: application/json" };
    size_t usual_count = sizeof usual / sizeof usual[0] - !is_json_text(endpoint->body);
    size_t header_count = endpoint->alone ? 0 : o->header_count;
    bool ok = header_lists_add(list, "Expect:"); /* no waiting for 100 Continue */

    for (size_t i = 0; ok && i < usual_count; i++) {
        struct str name = name_of(usual[i]);

        if (!is_among(o->headers, header_count, name) &&
            !is_among(endpoint->headers, endpoint->header_count, name)) {
            ok = header_lists_add(list, usual[i]);
        }
    }
    for (size_t i = 0; ok && i < header_count; i++) {
        if (!is_among(endpoint->headers, endpoint->header_count, name_of(o->headers[i]))) {
            ok = header_lists_add(list, o->headers[i]);
        }
    }
    for (size_t i = 0; ok && i < endpoint->header_count; i++) {
        ok = header_lists_add(list, endpoint->headers[i]);
    }
    return ok;
}

/* Takes the Cookie header out of an endpoint's list, or notes that there is one. */
static bool build_cookie(const struct fetch_options *o, struct curl_slist **list,
                         struct transfer_cookie *cookie)
{
    for (struct curl_slist **at = list; *at; at = &(*at)->next) {
        struct curl_slist *node = *at;
        struct str value = str_view(node->data);

        if (!str_equal_nocase(str_cut(&value, ':'), STR("Cookie")) || !value.data) {
            continue;
        }
        cookie->is_alone = o->cookies == FETCH_COOKIES_UNLESS_GIVEN;
        if (!cookie->is_alone) {
            cookie->given = str_dup(str_trim(value));
            *at = node->next;
            node->next = NULL;
            curl_slist_free_all(node);
            return cookie->given != NULL;
        }
    }
    return true;
}

static bool build_cookies(struct transfer_config *config)
{
    const struct fetch_options *o = config->options;

    config->cookies = calloc(o->endpoint_count + 1, sizeof *config->cookies);
    for (size_t i = 0; config->cookies && i < o->endpoint_count; i++) {
        if (!build_cookie(o, &config->headers[i], &config->cookies[i])) {
            return false;
        }
    }
    return config->cookies != NULL;
}

enum result header_lists_build(struct transfer_config *config)
{
    static const struct fetch_endpoint plain = { .method = "GET", .alone = true };
    const struct fetch_options *o = config->options;

    config->headers = calloc(o->endpoint_count + 1, sizeof(struct curl_slist *));
    if (!config->headers || !build_list(o, &plain, &config->plain_headers)) {
        return RESULT_NOMEM;
    }
    for (size_t i = 0; i < o->endpoint_count; i++) {
        if (!build_list(o, &o->endpoints[i], &config->headers[i])) {
            return RESULT_NOMEM;
        }
    }
    return o->cookies == FETCH_COOKIES_NONE || build_cookies(config) ? RESULT_OK : RESULT_NOMEM;
}

void header_lists_release(struct transfer_config *config)
{
    for (size_t i = 0; config->headers && i < config->options->endpoint_count; i++) {
        curl_slist_free_all(config->headers[i]);
    }
    free(config->headers);
    curl_slist_free_all(config->plain_headers);
    for (size_t i = 0; config->cookies && i < config->options->endpoint_count; i++) {
        char *given = config->cookies[i].given;

        if (given) {
            os_wipe(given, strlen(given));
        }
        free(given);
    }
    free(config->cookies);
}
