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
    bool json;
    uint64_t shown, passed_over;
};

static void print_finding_json(struct printer *p, const struct verify_finding *finding)
{
    printf("%s\n  {\"kind\":\"%s\",\"damage\":%s,", p->shown++ ? "," : "",
           verify_kind_name(finding->kind),
           verify_kind_is_damage(finding->kind) ? "true" : "false");
    if (finding->id) {
        printf("\"id\":%" PRIu64 ",", finding->id);
    }
    if (finding->segment) {
        printf("\"segment\":%" PRIu32 ",\"offset\":%" PRIu64 ",\"length\":%" PRIu64 ",",
               finding->segment, finding->offset, finding->length);
    }
    printf("\"text\":");
    json_print_text(stdout, str_view(finding->text));
    printf("}");
}

static void on_found(void *context, const struct verify_finding *finding)
{
    struct printer *p = context;
    char shown[4 * SHOWN_COLUMNS];

    if (p->json) {
        print_finding_json(p, finding);
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

static void print_end_json(const struct verify_report *report)
{
    printf("],\n \"records\":%" PRIu64 ",\"damaged\":%" PRIu64 ",\"segments\":%" PRIu32
           ",\"checked_bytes\":%" PRIu64 ",\"orphan_bytes\":%" PRIu64 ",\"tail_bytes\":%" PRIu64
           ",\n \"ok\":%s}\n",
           report->records, report->damaged, report->segments, report->line_bytes,
           report->orphan_bytes, report->tail_bytes,
           verify_report_is_damage(report) ? "false" : "true");
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
    struct printer printer = { .json = json };
    struct verify_report report;
    enum result result;

    if (json) {
        printf("{\"run\":");
        json_print_text(stdout, str_view(reader->dir.path));
        printf(",\n \"findings\":[");
    }
    result = verify_run(reader, on_found, &printer, &report, err);
    if (result != RESULT_OK) {
        return result;
    }
    if (json) {
        print_end_json(&report);
    } else {
        print_end(&printer, &report);
    }
    *is_damaged = verify_report_is_damage(&report);
    return RESULT_OK;
}
