/*
 * Gets from an HTTP server over loopback and throws the bytes away: REPEAT requests, or as many as begin within some
 * SECONDS, on each of CONNECTIONS keep-alive connections, one thread a connection. With RANGE each request asks for that
 * many bytes at a random multiple of RANGE below SPAN, else for all. Prints one line of JSON.
 *
 *   fetch-bytes [-H 'Name: value']... PORT PATH [CONNECTIONS [REPEAT|SECONDSs [RANGE SPAN]]]
 *
 * PATH may be - for one path a line on standard input. They are taken in turn, each connection beginning elsewhere: as
 * many paths as requests are read once each. With REPEAT, PATH may also hold %d: connection * REPEAT + request.
 *
 * Checks status and length, not content. Other statuses than 2xx and connections that break are counted, and the run
 * goes on. A range must be answered with 206.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "requests.h"
#include "workers.h"

static struct requests requests = {.method = "GET"};
static int connections = 1, repeat = 1;
static double limit; /* in seconds, 0 for none */
static uint64_t range, span;

/* Returns the status, or 0; `*size` is that of the body. `at` counts when there is a range. */
static int fetch(struct connection *c, uint64_t number, uint64_t at, uint64_t *size) {
  char head[HEAD_MAX];
  size_t length = requests_write_read(&requests, number, at, range, head);
  struct answer answer;
  ssize_t got;
  *size = 0;
  if (!connection_open(c) || !connection_send(c, &(struct iovec){head, length}, 1) || !connection_read_head(c, &answer)) return 0;
  if (range > 0 && answer.status <= 299 && answer.status != 206) return connection_fail(c, MALFORMED);
  while ((got = connection_read_body(c, &answer)) > 0) *size += got;
  if (got < 0 || !connection_finish(c, &answer)) return 0;
  if (range > 0 && answer.status == 206 && *size != range) return connection_fail(c, MALFORMED);
  return answer.status;
}

/* Where this connection begins, in the list or among the numbers. */
static uint64_t first_of(int number) {
  return requests.paths == NULL ? (uint64_t)number * repeat : number * requests.path_count / connections;
}

static void work(int number, struct tally *tally) {
  struct connection c = connection_to(requests.port);
  uint64_t state = 88172645463325252ull + number * 7919, size, at = 0;
  connection_open(&c);
  workers_start();
  double begun = now();
  for (int request = 0; limit > 0 || request < repeat; request++) {
    if (range > 0) {
      state ^= state << 13, state ^= state >> 7, state ^= state << 17;
      at = state % (span / range) * range;
    }
    double started = now();
    if (limit > 0 && started - begun >= limit) break;
    int status = fetch(&c, first_of(number) + request, at, &size);
    tally_add(tally, status, &c, now() - started, size);
    if (!tally_gives_up(tally)) continue;
    if (limit == 0) tally->unsent = repeat - request - 1;
    break;
  }
  connection_close(&c);
  free(c.buffer);
}

static int explain(void) {
  fprintf(stderr, "fetch-bytes [-H 'Name: value']... PORT PATH [CONNECTIONS [REPEAT|SECONDSs [RANGE SPAN]]]\n");
  return 2;
}

static void take_duration(const char *argument) {
  if (strchr(argument, 's') != NULL) limit = atof(argument);
  else repeat = atoi(argument);
}

int main(int argc, char **argv) {
  for (int option; (option = getopt(argc, argv, "+H:")) != -1;) {
    if (option == 'H') requests_add_header(&requests, optarg);
    else return explain();
  }
  argv += optind, argc -= optind;
  if (argc < 2 || argc == 5 || argc > 6) return explain();
  requests.port = atoi(argv[0]);
  requests_take_path(&requests, argv[1]);
  if (argc > 2) connections = atoi(argv[2]);
  if (argc > 3) take_duration(argv[3]);
  if (argc > 5) range = strtoull(argv[4], NULL, 10), span = strtoull(argv[5], NULL, 10);
  if (span < range || (limit > 0 && requests_are_numbered(&requests))) return explain();
  struct run run = workers_run(connections, work);
  tally_print(&run.tally, connections, run.seconds, run.cpu_seconds);
  return 0;
}
