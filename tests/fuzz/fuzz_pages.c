/* A byte for the kind of listing, a line for the headers, and any JSON as its page: further pages and details are
 * requests of the same origin, few enough, and what is odd is told. A page that is refused is looked at, too. */
#include "base/json_scan.h"
#include "base/url.h"
#include "job/job_file.h"
#include "plan/extract_links.h"
#include "plan/pages/pages.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define FOUND_MAX (PAGES_BLOCK + 2 * PAGES_ADDED_MAX + 4)

static const char *const kinds[] = {
    "{\"param\":\"page\",\"size\":2,\"size_param\":\"per\",\"total\":\"/total\"}",
    "{\"param\":\"page\",\"size\":2,\"total\":\"header:X-Total-Count\"}",
    "{\"offset_param\":\"offset\",\"size\":2,\"total\":\"/total\"}",
    "{\"cursor\":\"/next\",\"param\":\"after\",\"has_more\":\"/more\"}",
    "{\"next\":\"/next\",\"is_last\":\"/end\"}",
    "\"link\"",
    "{\"param\":\"page\",\"total_pages\":\"/pages\"}",
    "\"auto\"",
};

#define KINDS (sizeof kinds / sizeof kinds[0])

static struct job jobs[KINDS];
static struct extract_links *links[KINDS];
static bool usable[KINDS];

static void parse_jobs(void)
{
    for (size_t i = 0; i < KINDS; i++) {
        static struct job_faults faults;
        struct buf text = { 0 };
        struct err err;

        FUZZ_CHECK(
            buf_printf(
                &text,
                "{\"base\":\"https://api.test\",\"endpoints\":["
                "{\"name\":\"list\",\"url\":\"/list?q=1\",\"records\":\"/items\",\"pages\":%s},"
                "{\"name\":\"detail\",\"url\":\"/d/{list.id}/{+list.path}\"}]}",
                kinds[i]) == RESULT_OK);
        faults.count = 0;
        usable[i] =
            job_file_parse(&jobs[i], buf_view(&text), "j.json", NULL, &faults, &err) == RESULT_OK;
        if (!usable[i]) {
            fprintf(stderr, "kind %zu: %s\n", i, faults.errors[0].text);
        }
        FUZZ_CHECK(usable[i]);
        FUZZ_CHECK(extract_links_new(&links[i], &jobs[i], &err) == RESULT_OK);
        buf_release(&text);
    }
}

static struct str header(const void *context, struct str name, unsigned n)
{
    (void)name;
    return n ? STR_NONE : *(const struct str *)context;
}

static void check_found(const struct discoveries *discoveries)
{
    struct url base, url;
    size_t count = 0;

    FUZZ_CHECK(url_split(STR("https://api.test/"), &base, NULL) == RESULT_OK);
    for (const struct discovered *f = discoveries->first; f; f = f->next) {
        FUZZ_CHECK(url_split(f->texts.url, &url, NULL) == RESULT_OK);
        FUZZ_CHECK(url_same_origin(&base, &url));
        FUZZ_CHECK(!f->texts.vars.data || json_check(f->texts.vars, JSON_DEPTH_MAX, NULL));
        count++;
    }
    FUZZ_CHECK(count == discoveries->count);
    for (const struct page_note *n = discoveries->notes; n; n = n->next) {
        FUZZ_CHECK(n->text[0] && page_note_name(n->kind));
    }
}

static void read_page(size_t kind, struct str head, struct str body)
{
    struct request *request =
        request_new(7, 0, STR("k,page=1"), STR("https://api.test/list?q=1&page=1"));
    struct page_reply reply = { body, header, &head };
    struct discoveries out = { 0 };

    FUZZ_CHECK(request);
    FUZZ_CHECK(pages_read(&jobs[kind], request, &reply, &out) == RESULT_OK);
    FUZZ_CHECK(out.count <= FOUND_MAX);
    check_found(&out);
    if (out.first) { /* and the page after it has the same body */
        struct request *next = request_make(8, 0, &out.first->texts);
        struct discoveries more = { 0 };

        FUZZ_CHECK(next);
        next->page = out.first->page;
        FUZZ_CHECK(pages_read(&jobs[kind], next, &reply, &more) == RESULT_OK);
        check_found(&more);
        discoveries_release(&more);
        FUZZ_CHECK(pages_read_refused(&jobs[kind], next, 404, &more) == RESULT_OK);
        discoveries_release(&more);
        request_free(next);
    }
    discoveries_release(&out);
    FUZZ_CHECK(extract_links_read(links[kind], request, body, &out) == RESULT_OK);
    check_found(&out);
    discoveries_release(&out);
    request_free(request);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str body = { (const char *)bytes + (len ? 1 : 0), len ? len - 1 : 0 };
    struct str head = str_cut(&body, '\n');

    if (!links[0]) {
        parse_jobs();
    }
    if (len && body.data && json_check(body, JSON_DEPTH_MAX, NULL)) {
        read_page(bytes[0] % KINDS, head, body);
    }
    return 0;
}
