/*
 * Sends N bytes to an HTTP server over loopback and measures until the answer has come: REPEAT requests on each of
 * CONNECTIONS keep-alive connections, one thread a connection. Prints one line of JSON.
 *
 *   send-bytes [-H 'Name: value']... [-s SEED] PORT METHOD PATH BYTES [CONNECTIONS [REPEAT [DISTINCT]]]
 *
 * Bytes are pseudo-random. DISTINCT 1 (default) gives every request other bytes by writing its number into each 64 KiB,
 * so that no server can take a block for one it has; 0 sends the same bytes every time. Two runs with the same SEED send
 * the same bytes, request by request; without one no two runs do.
 * PATH may hold %d, or be - for one path a line on standard input: number connection * REPEAT + request is taken.
 *
 * A status other than 2xx and a connection that breaks are counted and the run goes on; a server that answers before it
 * has taken everything, or closes after its answer, is dialled again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "content.h"
#include "requests.h"
#include "workers.h"

enum { SEND_BUFFER = 4 << 20 };

static struct requests requests;
static int connections = 1, repeat = 1;
static uint64_t size;

/* Returns the status, or 0. */
static int upload(struct connection *c, uint64_t number) {
  char head[HEAD_MAX];
  size_t length = requests_write_upload(&requests, number, size, head);
  if (!connection_open(c)) return 0;
  struct upload body = {.head = head, .head_length = length, .number = number, .size = size};
  int more;
  while ((more = content_send(c, &body, CONTENT_STEPS_MAX)) > 0) continue;
  struct answer answer;
  ssize_t got;
  if (more < 0 || !connection_read_head(c, &answer)) return 0;
  /* Nobody can have stored what was not sent. */
  if (c->answered_early && answer.status <= 299) return connection_fail(c, MALFORMED);
  while ((got = connection_read_body(c, &answer)) > 0) continue;
  return got == 0 && connection_finish(c, &answer) ? answer.status : 0;
}

static void work(int number, struct tally *tally) {
  struct connection c = connection_to(requests.port);
  c.send_buffer = SEND_BUFFER;
  connection_open(&c);
  workers_start();
  for (int request = 0; request < repeat; request++) {
    double started = now();
    int status = upload(&c, (uint64_t)number * repeat + request);
    tally_add(tally, status, &c, now() - started, size);
    if (!tally_gives_up(tally)) continue;
    tally->unsent = repeat - request - 1;
    break;
  }
  connection_close(&c);
  free(c.buffer);
}

static int explain(void) {
  fprintf(stderr, "send-bytes [-H 'Name: value']... [-s SEED] PORT METHOD PATH BYTES [CONNECTIONS [REPEAT [DISTINCT]]]\n");
  return 2;
}

int main(int argc, char **argv) {
  uint64_t seed = content_fresh_seed();
  for (int option; (option = getopt(argc, argv, "+H:s:")) != -1;) {
    if (option == 'H') requests_add_header(&requests, optarg);
    else if (option == 's') seed = strtoull(optarg, NULL, 10);
    else return explain();
  }
  argv += optind, argc -= optind;
  if (argc < 4 || argc > 7) return explain();
  requests.port = atoi(argv[0]);
  requests.method = argv[1];
  requests_take_path(&requests, argv[2]);
  size = strtoull(argv[3], NULL, 10);
  if (argc > 4) connections = atoi(argv[4]);
  if (argc > 5) repeat = atoi(argv[5]);
  if (requests.paths != NULL && requests.path_count < (uint64_t)connections * repeat) {
    fprintf(stderr, "send-bytes: %llu paths for %d requests\n", (unsigned long long)requests.path_count, connections * repeat);
    return 2;
  }
  content_make(seed, argc > 6 ? atoi(argv[6]) : 1);
  struct run run = workers_run(connections, work);
  tally_print(&run.tally, connections, run.seconds, run.cpu_seconds);
  return 0;
}
