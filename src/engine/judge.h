/**
 * Judge: what came back, what it means, and where it goes next.
 *
 *   response --(2xx: is it JSON to its end?)--> verdict
 *     DONE, FINAL, AGAIN --> settlement (settle.c)
 *     REDIRECT, FREE     --> back to the frontier
 *
 * What a good body gives rise to (discover.c) is read where it is checked, and settled with it.
 *
 * A body is checked on the loop when it is small, on the pool when it is not: the loop must not stand
 * still for the 60 ms that 64 MB take.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_JUDGE_H
#define SCRAPETOP_ENGINE_JUDGE_H

struct response;

void judge_response(void *engine, struct response *response); /* fetch's on_response */

#endif
