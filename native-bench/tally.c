#include "tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { LOST_MAX = 20, LOST_SECONDS_MAX = 50, PAUSE_MS = 20 };

double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void add_latency(struct tally *tally, double seconds) {
  if (tally->count == tally->room) {
    tally->room = tally->room == 0 ? 4096 : tally->room * 2;
    tally->latencies = realloc(tally->latencies, tally->room * sizeof *tally->latencies);
  }
  tally->latencies[tally->count++] = seconds;
}

void tally_add(struct tally *tally, int status, const struct connection *connection, double seconds, uint64_t bytes) {
  tally->lost = status == 0 ? tally->lost + 1 : 0;
  tally->lost_seconds = status == 0 ? tally->lost_seconds + seconds : 0;
  if (status >= 200 && status <= 299) {
    add_latency(tally, seconds);
    tally->bytes += bytes;
  } else if (status != 0) {
    tally->statuses[status]++;
  } else if (connection->failure == REFUSED) {
    tally->refused++;
  } else if (connection->failure == MALFORMED) {
    tally->malformed++;
  } else {
    tally->broken++;
  }
}

int tally_gives_up(const struct tally *tally) {
  if (tally->lost == 0) return 0;
  nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000}, NULL);
  return tally->lost >= LOST_MAX || tally->lost_seconds > LOST_SECONDS_MAX;
}

void tally_merge(struct tally *into, const struct tally *from) {
  for (size_t index = 0; index < from->count; index++) add_latency(into, from->latencies[index]);
  for (int status = 0; status < 1000; status++) into->statuses[status] += from->statuses[status];
  into->bytes += from->bytes;
  into->refused += from->refused;
  into->broken += from->broken;
  into->malformed += from->malformed;
  into->unsent += from->unsent;
}

void tally_print_failures(const struct tally *tally) {
  uint64_t failures = tally->refused + tally->broken + tally->malformed + tally->unsent;
  for (int status = 0; status < 1000; status++) failures += tally->statuses[status];
  printf("\"failures\":%llu,\"statuses\":{", (unsigned long long)failures);
  const char *between = "";
  for (int status = 0; status < 1000; status++) {
    if (tally->statuses[status] == 0) continue;
    printf("%s\"%d\":%llu", between, status, (unsigned long long)tally->statuses[status]);
    between = ",";
  }
  printf("},\"refused\":%llu,\"broken\":%llu,\"malformed\":%llu,\"unsent\":%llu", (unsigned long long)tally->refused,
         (unsigned long long)tally->broken, (unsigned long long)tally->malformed, (unsigned long long)tally->unsent);
}

static int ascending(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

static double percentile_ms(const struct tally *tally, double share) {
  if (tally->count == 0) return 0;
  size_t index = tally->count * share;
  return tally->latencies[index < tally->count ? index : tally->count - 1] * 1e3;
}

void tally_print(struct tally *tally, int connections, double seconds, double cpu) {
  if (tally->count > 0) qsort(tally->latencies, tally->count, sizeof *tally->latencies, ascending);
  printf("{\"requests\":%zu,\"bytes\":%llu,\"connections\":%d,\"seconds\":%.6f,", tally->count, (unsigned long long)tally->bytes,
         connections, seconds);
  printf("\"mbPerSecond\":%.1f,\"requestsPerSecond\":%.1f,", tally->bytes / seconds / 1e6, tally->count / seconds);
  printf("\"p50Ms\":%.3f,\"p90Ms\":%.3f,", percentile_ms(tally, 0.5), percentile_ms(tally, 0.9));
  printf("\"p99Ms\":%.3f,\"p999Ms\":%.3f,\"maxMs\":%.3f,", percentile_ms(tally, 0.99), percentile_ms(tally, 0.999), percentile_ms(tally, 1));
  printf("\"cpuSeconds\":%.6f,", cpu);
  tally_print_failures(tally);
  printf("}\n");
}
