#include "session/fleet_verify.h"

#include "base/json_write.h"
#include "base/say.h"
#include "base/units.h"
#include "history/json_print.h"
#include "session/fleet_talk.h"

#include <stdio.h>
#include <stdlib.h>

static bool bit(const uint8_t *bits, uint64_t at)
{
    return bits[at >> 3] >> (7 - (at & 7)) & 1;
}

static void set_bit(uint8_t *bits, uint64_t at)
{
    bits[at >> 3] |= (uint8_t)(128U >> (at & 7));
}

enum result fleet_verify_open(struct fleet_verify *v, const char *url, struct err *err)
{
    struct fleet_talk t;
    enum result result = fleet_talk_open(&t, url, true, err);

    *v = (struct fleet_verify){ .total = 0 };
    if (result == RESULT_OK) {
        result = fleet_done(t.client, &t.place, &v->done, &v->total, err);
        snprintf(v->job, sizeof v->job, "%s", t.place.job);
    }
    fleet_talk_close(&t);
    if (result == RESULT_OK) {
        v->once = calloc((size_t)v->total / 8 + 1, 1);
        v->twice = calloc((size_t)v->total / 8 + 1, 1);
        result = v->once && v->twice ? RESULT_OK : err_nomem(err, "comparing runs with the fleet");
    }
    if (result != RESULT_OK) {
        fleet_verify_release(v);
    }
    return result;
}

static enum result note_end(void *context, const struct ledger_end *end, struct err *err)
{
    struct fleet_verify *v = context;

    (void)err;
    if (end->id == 0 || end->id > v->total || end->state == LEDGER_END_WAITING) {
        return RESULT_OK;
    }
    if (bit(v->once, end->id - 1)) {
        set_bit(v->twice, end->id - 1);
    }
    set_bit(v->once, end->id - 1);
    return RESULT_OK;
}

enum result fleet_verify_add(struct fleet_verify *v, struct run_reader *reader, struct err *err)
{
    return ledger_each_end(reader->ledger, v->total, note_end, v, err);
}

struct sums {
    uint64_t done, missing, twice, first_missing; /* the last: its number in the plan */
};

static struct sums add_up(const struct fleet_verify *v)
{
    struct sums sums = { .done = 0 };

    for (uint64_t i = 0; i < v->total; i++) {
        bool is_done = bit(v->done, i), is_missing = is_done && !bit(v->once, i);

        sums.done += is_done;
        sums.missing += is_missing;
        sums.twice += bit(v->twice, i);
        if (is_missing && sums.missing == 1) {
            sums.first_missing = i + 1;
        }
    }
    return sums;
}

static enum result print_json(const struct fleet_verify *v, const struct sums *sums,
                              struct err *err)
{
    struct buf text = { .max = 0 };
    struct json_writer j = json_write_begin(&text);

    json_write_object(&j, NULL);
    json_write_text(&j, "fleet", str_view(v->job));
    json_write_uint(&j, "planned", v->total);
    json_write_uint(&j, "done", sums->done);
    json_write_uint(&j, "in_none", sums->missing);
    json_write_known(&j, "first_in_none", sums->first_missing, sums->missing > 0);
    json_write_uint(&j, "in_several", sums->twice);
    json_write_object_end(&j);
    if (j.result == RESULT_OK) {
        json_print(stdout, &j);
        fputc('\n', stdout);
    }
    buf_release(&text);
    return j.result == RESULT_OK ? RESULT_OK : err_nomem(err, "writing JSON");
}

enum result fleet_verify_print(const struct fleet_verify *v, bool json, bool *is_missing,
                               struct err *err)
{
    const struct sums sums = add_up(v);

    *is_missing = sums.missing > 0;
    if (json) {
        return print_json(v, &sums, err);
    }
    say(stdout, "fleet     %s: %llu of %llu requests of the plan are done", v->job,
        (unsigned long long)sums.done, (unsigned long long)v->total);
    if (sums.missing) {
        say(stdout, "in none   %llu of them, the first is request %llu of the plan",
            (unsigned long long)sums.missing, (unsigned long long)sums.first_missing);
    } else {
        say(stdout, "in none   0: each is in one of these runs");
    }
    say(stdout, "in two    %llu request%s in two of these runs or more",
        (unsigned long long)sums.twice, sums.twice == 1 ? " is" : "s are");
    return RESULT_OK;
}

void fleet_verify_release(struct fleet_verify *v)
{
    free(v->done);
    free(v->once);
    free(v->twice);
    *v = (struct fleet_verify){ .total = 0 };
}
