#include "content.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* More than the caches of a processor hold: a client does read what it sends from memory. */
enum { PATTERN = 64 << 20 };

static unsigned char *pattern;
static uint64_t run_id;
static int marked;

uint64_t content_fresh_seed(void) { return (uint64_t)time(NULL) << 22 ^ getpid(); }

void content_make(uint64_t seed, int distinct) {
  run_id = seed;
  marked = distinct;
  pattern = malloc(PATTERN);
  uint64_t state = (seed + 1) * 0x9e3779b97f4a7c15 | 1;
  for (size_t at = 0; at < PATTERN; at += 8) {
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    uint64_t word = state * 0x2545f4914f6cdd1d;
    memcpy(pattern + at, &word, 8);
  }
}

/* Straight from the pattern, but for the mark of 24 bytes at the front of each step. */
int content_send(struct connection *c, struct upload *upload, int steps) {
  uint64_t marks[CONTENT_STEPS_MAX][3];
  struct iovec parts[1 + 2 * CONTENT_STEPS_MAX];
  int count = 0;
  if (upload->at == 0) parts[count++] = (struct iovec){(char *)upload->head, upload->head_length};
  for (int step = 0; step < steps && upload->at < upload->size; step++) {
    uint64_t at = upload->at, left = upload->size - at;
    size_t length = left < CONTENT_STEP ? left : CONTENT_STEP;
    size_t mark = !marked ? 0 : length < sizeof marks[0] ? length : sizeof marks[0];
    marks[step][0] = upload->number, marks[step][1] = at, marks[step][2] = run_id;
    parts[count++] = (struct iovec){marks[step], mark};
    parts[count++] = (struct iovec){pattern + at % PATTERN + mark, length - mark};
    upload->at += length;
  }
  if (!connection_send(c, parts, count)) return -1;
  return upload->at < upload->size && !c->answered_early;
}
