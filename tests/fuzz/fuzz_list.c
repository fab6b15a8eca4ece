/* Any bytes as a URL list: reading ends, counts agree, and every entry is a valid URL. */
#include "base/url.h"
#include "job/list.h"
#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

static void check_entries(struct list *list, size_t len, const struct list_report *report)
{
    uint64_t offset = 0, before, good = 0, bad = 0;
    struct list_entry entry;
    enum result result;

    do {
        struct url url;
        struct err err = { 0 };

        before = offset;
        result = list_next(list, &offset, &entry, &err);
        FUZZ_CHECK(offset <= len);
        if (result == RESULT_OK) {
            FUZZ_CHECK(url_split(entry.url, &url, NULL) == RESULT_OK);
            good++;
        } else if (result != RESULT_NOT_FOUND) {
            FUZZ_CHECK(err.code[0] && err.text[0]);
            bad++;
        }
        FUZZ_CHECK(result == RESULT_NOT_FOUND || offset > before);
    } while (result != RESULT_NOT_FOUND);
    FUZZ_CHECK(good == report->urls && bad == report->bad);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct list_report report;
    int fd = memfd_create("list", MFD_CLOEXEC);
    struct list *list;
    enum result result;

    FUZZ_CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
    FUZZ_CHECK(list_open_fd(&list, fd, "list", NULL) == RESULT_OK);
    result = list_check(list, &report, NULL);
    FUZZ_CHECK(report.size == len);
    FUZZ_CHECK((result == RESULT_OK) == (report.urls > 0 && report.bad == 0));
    check_entries(list, len, &report);
    list_free(list);
    close(fd);
    return 0;
}
