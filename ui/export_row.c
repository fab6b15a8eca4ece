#include "ui/export_row.h"

#include "base/clock.h"
#include "base/json_text.h"
#include "base/units.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CELL_TEXT_MAX 1024

void export_append(struct export_row *r, struct str text)
{
    if (r->result == RESULT_OK) {
        r->result = buf_append_str(r->out, text);
    }
}

/* In quotes where RFC 4180 wants them. */
static void append_cell(struct export_row *r, const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        export_append(r, str_view(text));
        return;
    }
    export_append(r, STR("\""));
    for (; *text; text++) {
        export_append(r, *text == '"' ? STR("\"\"") : (struct str){ text, 1 });
    }
    export_append(r, STR("\""));
}

/* What stands before the value; false when the name is all that is wanted. */
static bool begin_field(struct export_row *r, const char *name)
{
    export_append(r, r->begun ? STR(",") : STR_NONE);
    r->begun = true;
    if (r->json) {
        export_append(r, STR("\""));
        export_append(r, str_view(name));
        export_append(r, STR("\":"));
    } else if (r->naming) {
        export_append(r, str_view(name));
    }
    return !r->naming;
}

void export_text(struct export_row *r, const char *name, const char *text)
{
    char safe[CELL_TEXT_MAX];

    if (!begin_field(r, name)) {
        return;
    }
    if (r->json) {
        r->result = r->result == RESULT_OK ? json_text_append(r->out, str_view(text)) : r->result;
        return;
    }
    utf8_display(safe, sizeof safe, str_view(text), SIZE_MAX);
    append_cell(r, safe);
}

void export_count(struct export_row *r, const char *name, uint64_t count)
{
    char text[32];

    if (begin_field(r, name)) {
        snprintf(text, sizeof text, "%" PRIu64, count);
        export_append(r, str_view(text));
    }
}

/* Empty, or null, when nobody knows it. */
void export_known(struct export_row *r, const char *name, bool known, double value)
{
    char text[64];

    if (!begin_field(r, name)) {
        return;
    }
    if (!known || !isfinite(value)) {
        export_append(r, r->json ? STR("null") : STR_NONE);
        return;
    }
    snprintf(text, sizeof text, "%.15g", units_figure(value));
    export_append(r, str_view(text));
}

void export_number(struct export_row *r, const char *name, double value)
{
    export_known(r, name, true, value);
}

void export_seconds(struct export_row *r, const char *name, uint64_t us)
{
    export_known(r, name, us != TIME_NEVER, (double)us / 1e6);
}

void export_ms(struct export_row *r, const char *name, uint64_t us)
{
    export_known(r, name, us > 0, (double)us / 1e3);
}
