/* What came of requests: latencies and bytes of those answered with 2xx, and the others by kind. */
#ifndef TALLY_H
#define TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "http.h"

struct tally {
  double *latencies; /* in seconds */
  size_t count, room;
  uint64_t bytes;
  uint64_t statuses[1000], refused, broken, malformed, unsent;
  int lost; /* in a row: requests without any answer */
  double lost_seconds;
};

/* Seconds on the monotonic clock. */
double now(void);

/* User and system time of this process. */
double cpu_seconds(void);

/* A status, or 0 with what is said in the connection's `failure`. */
void tally_add(struct tally *, int status, const struct connection *, double seconds, uint64_t bytes);

/*
 * To be asked after each request. When that had no answer, waits a little; returns 1 when so many in a row had none, or
 * took so long, that it is not worth going on.
 */
int tally_gives_up(const struct tally *);

void tally_merge(struct tally *into, const struct tally *from);

/* `"failures":…` and each kind of them, as members of a JSON object. */
void tally_print_failures(const struct tally *);

/* One line of JSON. */
void tally_print(struct tally *, int connections, double seconds, double cpu_seconds);

#endif
