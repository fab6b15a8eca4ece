#include "fetch/transfer_url.h"

#include "base/os.h"

#include <string.h>

enum letter {
    LETTER_OTHER, /* may change the meaning of what stands around it */
    LETTER_PATH,  /* plain in a path and in a query */
    LETTER_QUERY, /* plain in a query only */
};

/* Neither libcurl's reading of a whole URL nor that of a part alone changes these (RFC 3986 section 3.3). */
static enum letter letter_of(unsigned char c)
{
    static const unsigned char marks[] = {
        ['-'] = LETTER_PATH, ['_'] = LETTER_PATH, ['~'] = LETTER_PATH,  ['!'] = LETTER_PATH,
        ['$'] = LETTER_PATH, ['&'] = LETTER_PATH, ['\''] = LETTER_PATH, ['('] = LETTER_PATH,
        [')'] = LETTER_PATH, ['*'] = LETTER_PATH, ['+'] = LETTER_PATH,  [','] = LETTER_PATH,
        [';'] = LETTER_PATH, ['='] = LETTER_PATH, [':'] = LETTER_PATH,  ['@'] = LETTER_PATH,
        ['/'] = LETTER_PATH, ['.'] = LETTER_PATH, ['?'] = LETTER_QUERY,
    };

    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
        return LETTER_PATH;
    }
    return c < sizeof marks ? (enum letter)marks[c] : LETTER_OTHER;
}

/* Where the path begins: behind scheme and host. 0: the URL has no such place, or its host is not written plainly. */
static size_t origin_len(struct str url)
{
    size_t at = str_starts(url, STR("http://"))    ? STR("http://").len
                : str_starts(url, STR("https://")) ? STR("https://").len
                                                   : 0;

    if (!at) {
        return 0;
    }
    while (at < url.len && url.data[at] != '/') {
        if (letter_of((unsigned char)url.data[at]) != LETTER_PATH || url.data[at] == '@') {
            return 0;
        }
        at++;
    }
    return at < url.len ? at : 0;
}

/* The bytes of a path that libcurl leaves as they are; "/." may be a step that it takes out. The rest is a query, or
 * not plain. */
static size_t plain_path_len(struct str text)
{
    size_t i = 0;

    while (i < text.len && letter_of((unsigned char)text.data[i]) == LETTER_PATH &&
           !(text.data[i] == '.' && text.data[i - 1] == '/')) {
        i++;
    }
    return i;
}

static bool is_plain_query(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (letter_of((unsigned char)text.data[i]) == LETTER_OTHER) {
            return false;
        }
    }
    return text.len > 0;
}

/* The handle has this origin already. `target` begins with a slash, and is terminated. False: libcurl is to read it. */
static bool set_target(CURLU *parts, struct str target, struct buf *path)
{
    size_t len = plain_path_len(target);
    const char *query = len < target.len ? target.data + len + 1 : NULL;

    if (query && (target.data[len] != '?' || !is_plain_query(str_view(query)))) {
        return false;
    }
    buf_reset(path);
    return buf_append_str(path, (struct str){ target.data, len }) == RESULT_OK && buf_cstr(path) &&
           curl_url_set(parts, CURLUPART_PATH, path->data, 0) == CURLUE_OK &&
           curl_url_set(parts, CURLUPART_QUERY, query, 0) == CURLUE_OK;
}

/* With the flags that libcurl has for a text (7.88 to 8.14, lib/url.c). */
static bool set_whole(struct transfer *t, struct str url, size_t origin)
{
    const struct job_network *network = t->config->options->network;
    unsigned flags = CURLU_NON_SUPPORT_SCHEME | CURLU_DISALLOW_USER |
                     (network && network->path_as_is ? CURLU_PATH_AS_IS : 0U);

    buf_reset(&t->origin);
    if (!origin || curl_url_set(t->parts, CURLUPART_URL, url.data, flags) != CURLUE_OK) {
        return false;
    }
    if (memchr(url.data, '#', url.len) || /* it would stay with the next one */
        buf_append_str(&t->origin, (struct str){ url.data, origin }) != RESULT_OK) {
        buf_reset(&t->origin);
    }
    return true;
}

static bool take_apart(struct transfer *t, struct str url)
{
    size_t known = t->origin.len;

    if (!t->parts) {
        t->parts = curl_url();
    }
    if (!t->parts) {
        return false;
    }
    if (known && url.len > known && url.data[known] == '/' &&
        memcmp(url.data, t->origin.data, known) == 0 &&
        set_target(t->parts, (struct str){ url.data + known, url.len - known }, &t->path)) {
        return true;
    }
    return set_whole(t, url, origin_len(url));
}

/* The text is set, too: libcurl asks with it again when a server wants a Digest. */
bool transfer_url_set(struct transfer *t, const char *url)
{
    bool is_apart = take_apart(t, str_view(url));

    return curl_easy_setopt(t->easy, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(t->easy, CURLOPT_CURLU, is_apart ? t->parts : NULL) == CURLE_OK;
}

void transfer_url_release(struct transfer *t)
{
    curl_url_cleanup(t->parts);
    t->parts = NULL;
    buf_release(&t->origin);
    if (t->path.data) {
        os_wipe(t->path.data, t->path.cap);
    }
    buf_release(&t->path);
}
