#include "history/verify_print.h"

#include "base/units.h"
#include "base/utf8.h"
#include "history/json_print.h"
#include "store/verify.h"

#include <inttypes.h>
#include <stdio.h>

#define FINDINGS_SHOWN 20 /* to people; --json has them all */
#define SHOWN_COLUMNS 200

struct printer {
    struct buf text;          /* of the JSON, a finding at a time */
    struct json_writer *json; /* NULL: for people */
    uint64_t shown, passed_over;
};

static void print_finding_json(struct json_writer *w, const struct verify_finding *finding)
{
    json_write_line(w, 2);
    json_write_object(w, NULL);
    json_write_text(w, "kind", str_view(verify_kind_name(finding->kind)));
    json_write_bool(w, "damage", verify_kind_is_damage(finding->kind));
    if (finding->id) {
        json_write_uint(w, "id", finding->id);
    }
    if (finding->segment) {
        json_write_uint(w, "segment", finding->segment);
        json_write_uint(w, "offset", finding->offset);
        json_write_uint(w, "length", finding->length);
    }
    json_write_text(w, "text", str_view(finding->text));
    json_write_object_end(w);
    json_print(stdout, w);
}

static void on_found(void *context, const struct verify_finding *finding)
{
    struct printer *p = context;
    char shown[4 * SHOWN_COLUMNS];

    if (p->json) {
        print_finding_json(p->json, finding);
        return;
    }
    if (p->shown == FINDINGS_SHOWN) {
        p->passed_over++;
        return;
    }
    p->shown++;
    utf8_display(shown, sizeof shown, str_view(finding->text), SHOWN_COLUMNS);
    printf("%s: %s", verify_kind_is_damage(finding->kind) ? "DAMAGE" : "note", shown);
    if (finding->id) {
        printf(" (request %" PRIu64 ")", finding->id);
    }
    printf("\n");
}

static void print_end_json(struct json_writer *w, const struct verify_report *report)
{
    json_write_array_end(w);
    json_write_line(w, 1);
    json_write_uint(w, "records", report->records);
    json_write_uint(w, "damaged", report->damaged);
    json_write_uint(w, "segments", report->segments);
    json_write_uint(w, "checked_bytes", report->line_bytes);
    json_write_uint(w, "orphan_bytes", report->orphan_bytes);
    json_write_uint(w, "tail_bytes", report->tail_bytes);
    json_write_line(w, 1);
    json_write_bool(w, "ok", !verify_report_is_damage(report));
    json_write_object_end(w);
    json_print(stdout, w);
    printf("\n");
}

static void print_end(const struct printer *p, const struct verify_report *report)
{
    char bytes[UNITS_TEXT_MAX];

    if (p->passed_over) {
        printf("... and %" PRIu64 " more: --json lists all\n", p->passed_over);
    }
    units_format_bytes(report->line_bytes, bytes);
    printf("%" PRIu64 " of %" PRIu64 " record%s whole (%s in %" PRIu32 " segment%s)\n",
           report->records - report->damaged, report->records,
           report->records == 1 ? " is" : "s are", bytes, report->segments,
           units_plural(report->segments));
    if (report->orphan_bytes) {
        units_format_bytes(report->orphan_bytes, bytes);
        printf("%s belong to no record\n", bytes);
    }
    if (report->tail_bytes) {
        units_format_bytes(report->tail_bytes, bytes);
        printf("%s are not committed: the next start cuts them off, unless a process is at it\n",
               bytes);
    }
    printf("%s\n", verify_report_is_damage(report) ? "the run is DAMAGED" : "the run is sound");
}

enum result verify_print(struct run_reader *reader, bool json, bool *is_damaged, struct err *err)
{
    struct printer printer = { .shown = 0 };
    struct json_writer writer = json_write_begin(&printer.text);
    struct verify_report report;
    enum result result;

    if (json) {
        printer.json = &writer;
        json_write_object(&writer, NULL);
        json_write_text(&writer, "run", str_view(reader->dir.path));
        json_write_line(&writer, 1);
        json_write_array(&writer, "findings");
    }
    result = verify_run(reader, on_found, &printer, &report, err);
    if (result == RESULT_OK && json) {
        print_end_json(&writer, &report);
    } else if (result == RESULT_OK) {
        print_end(&printer, &report);
    }
    if (result == RESULT_OK) {
        *is_damaged = verify_report_is_damage(&report);
    }
    buf_release(&printer.text);
    return result;
}
