/* Any bytes typed, with a dashboard and without: keys are characters or known, a word is found by its own
 * beginning, and what a line is answered is safe to be shown. */
#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "tests/ui_scenes.h"
#include "ui/input.h"
#include "ui/keys.h"
#include "ui/words.h"

#include <string.h>

#define VERBS UINT32_MAX
#define START_US UINT64_C(1969000000)
#define BYTE_US UINT64_C(40000) /* a lone Esc is one after four of them */

static struct snapshot snapshot;

static void check_safe(struct str text)
{
    while (text.len) {
        uint32_t code;
        size_t length = utf8_decode(text, &code);

        FUZZ_CHECK(length && (code == '\n' || utf8_is_safe(code)));
        text.data += length;
        text.len -= length;
    }
}

static void type(struct str line)
{
    struct control control = { .verb = CONTROL_NONE };
    struct buf answer = { 0 };

    if (words_read(line, &snapshot, VERBS, &control, &answer) == WORDS_COMMAND) {
        FUZZ_CHECK(control.verb != CONTROL_NONE);
        FUZZ_CHECK(memchr(control.text, '\0', sizeof control.text));
    }
    check_safe(buf_view(&answer));
    FUZZ_CHECK(!answer.len || answer.data[answer.len - 1] == '\n');
    buf_release(&answer);
}

static void press(const struct input_key *keys, size_t count)
{
    FUZZ_CHECK(count <= INPUT_KEYS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct key_binding *binding = keys_find(keys[i].code, VERBS);

        FUZZ_CHECK(keys[i].code <= INPUT_WHEEL_DOWN);
        if (binding && binding->word) {
            FUZZ_CHECK(keys_by_word(binding->word, strlen(binding->word), 0, VERBS));
        }
    }
}

static void feed(const uint8_t *bytes, size_t len)
{
    struct input input;
    struct input_key keys[INPUT_KEYS_MAX];
    uint64_t now_us = START_US;

    input_init(&input);
    for (size_t i = 0; i < len; i++) {
        now_us += bytes[i] ? BYTE_US : 5 * BYTE_US;
        press(keys, input_idle(&input, now_us, keys));
        press(keys, input_feed(&input, bytes[i], now_us, keys));
    }
    press(keys, input_idle(&input, now_us + 10 * BYTE_US, keys));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct str rest = { (const char *)bytes, len };
    char word[32];

    ui_scene_fill(&snapshot, (enum ui_scene)(len ? bytes[0] % SCENE_COUNT : 0), 24, START_US);
    feed(bytes, len);
    snprintf(word, sizeof word, "%.*s", (int)(len < sizeof word ? len : sizeof word - 1),
             (const char *)bytes);
    for (size_t i = 0; keys_by_word(word, strlen(word), i, VERBS); i++) {
        FUZZ_CHECK(i < 1000);
    }
    while (rest.data) {
        type(str_cut(&rest, '\n'));
    }
    return 0;
}
