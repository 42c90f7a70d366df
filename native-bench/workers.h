/* One thread a connection, all of them starting together. */
#ifndef WORKERS_H
#define WORKERS_H

#include "tally.h"

struct run {
  double seconds, cpu_seconds; /* from the start to the end of the last worker */
  struct tally tally;
};

/* `work` gets its number from 0, prepares, calls `workers_start` once, and counts what it does. */
struct run workers_run(int count, void (*work)(int number, struct tally *tally));

/* Waits for all the others. */
void workers_start(void);

#endif
