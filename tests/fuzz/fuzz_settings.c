/* Any bytes as the file of settings: what is read of it is the same when it is written and read again. */
#include "tests/fuzz/folder.h"
#include "tests/fuzz/fuzz.h"
#include "ui/settings.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct folder_path path = folder_put("config", bytes, len), again = folder_at("again");
    struct settings one = { 0 }, two = { 0 };
    struct err err;

    settings_load(&one, path.text);
    FUZZ_CHECK(one.sort_count <= SETTINGS_SORTS_MAX);
    for (size_t i = 0; i < one.sort_count; i++) {
        FUZZ_CHECK(memchr(one.sorts[i].panel, '\0', sizeof one.sorts[i].panel));
        FUZZ_CHECK(memchr(one.sorts[i].column, '\0', sizeof one.sorts[i].column));
    }
    FUZZ_CHECK(settings_save(&one, again.text, &err) == RESULT_OK);
    settings_load(&two, again.text);
    FUZZ_CHECK(one.theme == two.theme && one.mouse == two.mouse && one.notify == two.notify);
    FUZZ_CHECK(one.sort_count == two.sort_count);
    for (size_t i = 0; i < one.sort_count; i++) {
        FUZZ_CHECK(strcmp(one.sorts[i].panel, two.sorts[i].panel) == 0);
        FUZZ_CHECK(strcmp(one.sorts[i].column, two.sorts[i].column) == 0);
        FUZZ_CHECK(one.sorts[i].inverted == two.sorts[i].inverted);
    }
    return 0;
}
