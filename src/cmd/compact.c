/* `compact`: packs what a run has stored; nothing of it is lost, and all commands read it as before. */
#include "base/say.h"
#include "base/units.h"
#include "cmd/cmd.h"
#include "cmd/read_options.h"
#include "cmd/retain.h"
#include "store/run_pack.h"

#include <signal.h>

static atomic_bool stopped;

static void on_signal(int number)
{
    (void)number;
    atomic_store(&stopped, true);
}

static void tell(const char *run, bool live, const struct segment_pack_report *report)
{
    char text[UNITS_TEXT_MAX], packed[UNITS_TEXT_MAX];

    units_format_bytes(report->text_bytes, text);
    units_format_bytes(report->packed_bytes, packed);
    if (report->packed) {
        say(stderr, "scrapetop: %s: %u segment%s packed, %s are %s now", run,
            (unsigned)report->packed, units_plural(report->packed), text, packed);
    } else if (report->busy) {
        say(stderr, "scrapetop: %s: another process is packing it", run);
    } else {
        say(stderr, "scrapetop: %s: nothing to pack%s", run,
            live ? ": the run is live, and its last segment stays as it is" : "");
    }
}

static int compact(const struct read_options *options)
{
    int code = EXIT_WELL;

    for (size_t i = 0; i < options->operand_count && !atomic_load(&stopped); i++) {
        struct segment_pack_report report;
        struct err err;
        bool live = false;
        int its = options->retain_us ? retain_rounds(options->operands[i], options->retain_us)
                                     : EXIT_WELL;
        enum result result = run_pack(options->operands[i], &stopped, &live, &report, &err);

        if (result == RESULT_OK) {
            tell(options->operands[i], live, &report);
        } else if (result != RESULT_CANCELLED) {
            its = message_fail(&err);
        }
        code = its > code ? its : code; /* the worst */
    }
    return atomic_load(&stopped) ? EXIT_INTERRUPTED : code;
}

int cmd_compact(int argc, char **argv)
{
    struct read_options options;
    struct err err = { .result = RESULT_OK };
    int code = EXIT_WELL;

    if (read_options_parse(&options, &compact_table, argc, argv, &err) != RESULT_OK) {
        return message_fail(&err);
    }
    if (options.given.help) {
        options_print_help(&compact_table, stdout);
    } else {
        atomic_init(&stopped, false);
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
        code = compact(&options);
    }
    read_options_release(&options);
    return code;
}
