/**
 * Descriptors: how many files may be open at once, and how many connections that leaves.
 *
 * Errors   none: without an answer of the system a limit is none.
 * Threads  descriptors_widen before there are any, descriptors_reserve on the loop's; the others anywhere.
 */
#ifndef SCRAPETOP_ENGINE_DESCRIPTORS_H
#define SCRAPETOP_ENGINE_DESCRIPTORS_H

#include <uv.h>

unsigned descriptors_max(void);
unsigned descriptors_in_use(void);          /* about */
unsigned descriptors_for_connections(void); /* that leave enough of them for the rest */

/** To the most that the system allows this process. */
void descriptors_raise(void);

/** Before the process has threads: the kernel's table is made so large that it need not grow while they run. */
void descriptors_widen(void);

/** The loop's table is made so large that it need not grow in nearly every run. */
void descriptors_reserve(uv_loop_t *loop);

#endif
