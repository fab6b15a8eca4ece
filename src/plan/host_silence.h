/**
 * Host silence: what is known of hosts of which nothing comes, or nothing good, and how long to hope.
 *
 * With several tokens for one origin (plan/twin.h) it is the origin that is silent, whichever was asked with.
 *
 * Pure: told the time. Units: microseconds (monotonic).
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_PLAN_HOST_SILENCE_H
#define SCRAPETOP_PLAN_HOST_SILENCE_H

#include "plan/host.h"

/** Why nobody answered an attempt, for people. */
void host_note_silence(struct host *host, enum outcome outcome, const char *why);

/** It fell silent while another host went on answering: it is not the network. */
bool host_is_lost(const struct host_table *table, const struct host *host);

/** Nobody answers there, and it is given up: its requests are handed out at once, to fail. */
void host_bury(struct host *host);

/** Whether a server answered at its address, this time. */
void host_note_reached(struct host *host, bool reached);

/** Nobody answers, and it has been so for long enough: nobody need wait for it. */
bool host_is_given_up(const struct host *host, uint64_t patience_us, uint64_t now_us);

/** The longest-standing trouble or refusal of a host of which nothing goes well any more: since when;
 *  0: something does. */
uint64_t host_failing_since_us(const struct host *host);

#endif
