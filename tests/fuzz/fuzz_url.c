/* Any text as a URL: what is taken lies within the text, splits to the same again, and shows safely. */
#include "base/url.h"
#include "base/utf8.h"
#include "job/secret.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static int lies_within(struct str part, struct str whole)
{
    return !part.len || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void check_url(struct str text, const struct url *url)
{
    char key[URL_ORIGIN_MAX];
    struct url again;

    FUZZ_CHECK(lies_within(url->scheme, text) && lies_within(url->host, text));
    FUZZ_CHECK(lies_within(url->origin, text) && lies_within(url->target, text));
    FUZZ_CHECK(url->host.len > 0 && url->host.len <= URL_HOST_MAX && url->port > 0);
    FUZZ_CHECK(url->origin.data == text.data);
    FUZZ_CHECK(!memchr(url->origin.data, '@', url->origin.len));
    url_origin_key(url, key);
    FUZZ_CHECK(url_split(str_view(key), &again, NULL) == RESULT_OK);
    FUZZ_CHECK(url_same_origin(url, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str text = { (const char *)bytes, len };
    struct buf redacted = { 0 };
    struct url url;
    struct err err = { 0 };
    char shown[256];
    enum result result = url_split(text, &url, &err);

    if (result == RESULT_OK) {
        check_url(text, &url);
    } else {
        FUZZ_CHECK(err.result == result && err.code[0] && err.text[0]);
    }
    FUZZ_CHECK(url_redact(text, &redacted) == RESULT_OK);
    FUZZ_CHECK(utf8_display(shown, sizeof shown, buf_view(&redacted), 80) <= 80);
    FUZZ_CHECK(utf8_valid_prefix(str_view(shown)) == strlen(shown));
    FUZZ_CHECK(!memchr(shown, '\x1b', strlen(shown)));
    buf_release(&redacted);
    return 0;
}
