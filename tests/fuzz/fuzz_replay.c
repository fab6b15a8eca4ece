/* Any lines as the events of a past run: its time goes forward, and every moment of it can be shown. */
#include "history/replay.h"
#include "tests/fuzz/fuzz.h"

#define MOMENTS 8
#define AROUND_US INT64_C(3600000000)

static struct snapshot snapshot;

static void look(const struct replay *replay, int64_t at_us)
{
    struct snapshot_rung rungs[SNAPSHOT_RUNGS_MAX];
    struct sample sample;
    uint64_t ran_us = 0;
    size_t count;

    replay_sample(replay, at_us, &sample, &ran_us);
    replay_snapshot(replay, at_us, 1, &snapshot);
    count = replay_rungs(replay, at_us, rungs);
    FUZZ_CHECK(count <= SNAPSHOT_RUNGS_MAX);
    for (size_t i = 1; i < count; i++) {
        FUZZ_CHECK(rungs[i - 1].cap < rungs[i].cap);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct replay *replay;
    struct err err = { .text = "" };
    int64_t first_us, last_us;

    if (replay_new(&replay, (struct str){ (const char *)bytes, len }, "fuzz", &err) != RESULT_OK) {
        FUZZ_CHECK(err.text[0]);
        return 0;
    }
    first_us = replay_first_us(replay);
    last_us = replay_last_us(replay);
    FUZZ_CHECK(first_us <= last_us);
    for (int i = 0; i <= MOMENTS; i++) {
        look(replay, first_us + (int64_t)((uint64_t)(last_us - first_us) / MOMENTS) * i);
    }
    look(replay, last_us);
    look(replay, first_us - AROUND_US);
    look(replay, last_us + AROUND_US);
    replay_free(replay);
    return 0;
}
