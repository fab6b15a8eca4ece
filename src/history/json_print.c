#include "history/json_print.h"

#include "base/clock.h"
#include "base/json_text.h"
#include "base/say.h"

void json_print_text(FILE *to, struct str bytes)
{
    struct buf text = { .max = 0 };

    if (json_text_append(&text, bytes) == RESULT_OK) {
        say_json(to, buf_view(&text));
    } else {
        fputs("null", to);
    }
    buf_release(&text);
}

void json_print_time(FILE *to, int64_t wall_us, int64_t absent)
{
    char text[CLOCK_TEXT_SIZE];

    if (wall_us == absent) {
        fputs("null", to);
        return;
    }
    clock_format_utc(wall_us, text);
    fprintf(to, "\"%s\"", text);
}
