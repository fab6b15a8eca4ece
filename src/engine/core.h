/**
 * Core: the ground floor of the engine. What every module above it may use: time, chance, texts without
 * secrets, the phase of the run, and how its end is asked for. It calls none of them.
 *
 *   NEW --start--> RUNNING --stop--> DRAINING
 *                   ^   `----.----------´
 *                   |        | all is in
 *         new work  |        v
 *                   +----- TABLE --> DONE        (without tables straight to DONE)
 *                   `------------------´
 *   any --close--> CLOSING
 *
 * A function that changes what may start, or what the run waits for, calls engine_want_turn: the loop then gives the
 * engine one turn (pump.c), after all that this turn of the loop has brought. The pump itself is called by those
 * above it alone: who starts the run (engine.c), and whose commands act at once (command.c).
 *
 * Ownership  plain functions on the engine's own data.
 * Units      microseconds, monotonic.
 * Errors     none but RESULT_NOMEM of engine_redact_url.
 * Threads    loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_CORE_H
#define SCRAPETOP_ENGINE_CORE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/exit_code.h"
#include "base/str.h"
#include "engine/snapshot.h"

#include <uv.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;
struct request;

enum engine_phase {
    ENGINE_NEW,
    ENGINE_RUNNING,
    ENGINE_DRAINING,
    ENGINE_TABLE, /* all settled; the tables that are to be made at the end are being written */
    ENGINE_DONE,
    ENGINE_CLOSING,
};

/** The callback for the turns that are wanted. */
struct engine_turns {
    uv_idle_t idle; /* active while one is wanted */
    uv_check_t after_poll;
    void (*serve)(struct engine *engine);
};

/** Why it ends early. */
struct engine_ending {
    enum exit_code exit; /* EXIT_INTERRUPTED, EXIT_TERMINATED, EXIT_DRAINED, or EXIT_WELL */
    char why[160], code[ERR_CODE_MAX]; /* of an error: its code */
    bool is_wanted;
};

/** What the store says. */
struct engine_storage {
    enum result state; /* RESULT_OK, RESULT_FULL or RESULT_BUSY (passing), any other: final */
    char trouble[160];
    char code[ERR_CODE_MAX]; /* "E-DISK1": of the last trouble */
    struct err last;         /* while it was closed; RESULT_OK: none */
};

/** For texts that are made without secrets. */
struct engine_scratch {
    struct buf shown, redacted;
};

/** The only way to another phase. */
void engine_enter(struct engine *engine, enum engine_phase next);
bool engine_is_active(const struct engine *engine); /* running or draining */

/** Before anything else: who gets the turns. */
void engine_turns_init(struct engine *engine, void (*on_turn)(struct engine *engine));

/** The engine gets a turn of its own before the loop waits for anything. Harmless at any time. */
void engine_want_turn(struct engine *engine);
bool engine_is_turn_wanted(const struct engine *engine);

/** Starts nothing more; what is in flight finishes. The first reason given stays. */
void engine_stop(struct engine *engine, const char *why);

/** The same with an error code: "E-AUTH2". */
void engine_stop_for(struct engine *engine, const char *code, const char *why);

/** The same when a user asks for it, or when the goal is reached: no error. */
void engine_stop_as_wanted(struct engine *engine, const char *why);

/** Requests known of, less those that have ended. */
uint64_t engine_work_left(const struct engine *engine);

uint64_t engine_now_us(const struct engine *engine);

/** 64 random bits: splitmix64 (Steele, Lea, Flood 2014). */
uint64_t engine_random(struct engine *engine);

/** Tells hosts apart that have one index after the other. */
uint32_t engine_host_key(const struct engine *engine, uint32_t host);

/** Appends the URL as it may be written down and shown: without the job's secrets, and without the
 *  values of parameters that are secret by their name. */
MUST_CHECK enum result engine_redact_url(struct engine *engine, struct str url, struct buf *out);

/** "GET /posts/17?key=***", cut to its field. */
void engine_request_text(struct engine *engine, const struct request *request,
                         char text[SNAPSHOT_REQUEST_TEXT]);

/** Why its last try failed, in words, without secrets and cut to `size`. Empty for NULL. */
void engine_reason_text(struct engine *engine, const struct request *request, char *text,
                        size_t size);

/** The store's trouble for people: while a full disk only pauses the run, what is free and that it goes
 *  on by itself. Empty when there is none. */
void engine_trouble_text(const struct engine *engine, char *text, size_t size);
uint64_t engine_disk_free_bytes(const struct engine *engine);

#endif
