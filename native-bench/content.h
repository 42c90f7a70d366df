/*
 * What clients upload: pseudo-random bytes (xorshift64*) that no server can take for some it has. A request's number
 * stands in each 64 KiB of it, and in all of them what tells this run from others.
 */
#ifndef CONTENT_H
#define CONTENT_H

#include <stddef.h>
#include <stdint.h>

#include "http.h"

enum { CONTENT_STEP = 64 << 10, CONTENT_STEPS_MAX = 8 };

/* Once, before any upload. The same seed makes the same bytes; `distinct` 0 makes those of all requests alike. */
void content_make(uint64_t seed, int distinct);

/* A seed that no other run has. */
uint64_t content_fresh_seed(void);

struct upload {
  const char *head;
  size_t head_length;
  uint64_t number, size;
  uint64_t at; /* how much of the body has been sent */
};

/*
 * Sends the next `steps` of 64 KiB, at first with the head in front. Returns 1 while there is more to send, 0 when an
 * answer can be read, -1 when the connection failed.
 */
int content_send(struct connection *, struct upload *, int steps);

#endif
