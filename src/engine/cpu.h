/**
 * Load: of each core, of the process, of the loop thread and of those that fetch; and how late the loop is.
 *
 * Units    percent of one core, seconds of CPU time.
 * Threads  loop thread only: "this thread" below is the loop's.
 */
#ifndef SCRAPETOP_ENGINE_CPU_H
#define SCRAPETOP_ENGINE_CPU_H

#include "base/hist.h"
#include "engine/snapshot.h"
#include "job/job_network.h"

#define CPU_SAMPLE_US (500 * 1000)

struct cpu_times {
    uint64_t busy, total;
};

struct cpu {
    uint64_t sampled_us;
    struct cpu_times times[SNAPSHOT_CORES_MAX];
    float busy_percent[SNAPSHOT_CORES_MAX];
    size_t core_count;
    double thread_s; /* CPU time at the last sample */
    double thread_percent;
    double fetch_s[JOB_THREADS_MAX]; /* likewise, of each thread that fetches */
    double fetch_percent;            /* of the busiest of these */
    double process_start_s, thread_start_s;
    struct hist lag; /* of the loop, and of those of threads that fetch: the latest of them */
};

void cpu_init(struct cpu *cpu, uint64_t now_us);

/** Every CPU_SAMPLE_US: the load since the last sample. `fetch_s`: CPU time so far of each of `count` threads that
 *  fetch. */
void cpu_sample(struct cpu *cpu, const double *fetch_s, size_t count, uint64_t now_us);

/** Of the thread that is the busiest. */
double cpu_busiest_percent(const struct cpu *cpu);

/** Cores of the machine that nobody used, whole ones, at the last sample. */
unsigned cpu_idle_cores(const struct cpu *cpu);

/** CPU time of the process since cpu_init, all threads. */
double cpu_process_s(const struct cpu *cpu);
double cpu_thread_s(const struct cpu *cpu); /* of this thread alone */
uint64_t cpu_rss_bytes(void);

#endif
