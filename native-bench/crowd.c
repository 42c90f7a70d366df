/*
 * Many HTTP clients at once over loopback, as fast as they can or each at a steady pace: for measuring what a server
 * holds in memory meanwhile. One thread a client, one request a client, all connected before the first byte moves.
 *
 *   crowd [-H 'Name: value']... PORT POST|PUT CLIENTS BYTES RATE PATH       BYTES distinct bytes
 *   crowd [-H 'Name: value']... PORT GET CLIENTS BYTES RATE PATH            the first BYTES of what is there
 *
 * PATH may hold %d, the client's number, or be - for one path a line on standard input: uploads take that of the
 * client's number, downloads use them in turn. RATE is bytes a second for each client, 0 for as fast as it goes. Prints
 * one line of JSON: answers that are not 2xx and connections that broke off are counted by kind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "content.h"
#include "requests.h"
#include "workers.h"

enum { PACED_BUFFER = 256 << 10 };

static struct requests requests;
static int clients, uploading;
static uint64_t size, rate;

/* Sleeps until `bytes` are due; a client that is late does not catch up by more than it missed. */
static void keep_pace(double started, uint64_t bytes) {
  if (rate == 0) return;
  double ahead = started + (double)bytes / rate - now();
  if (ahead <= 0) return;
  struct timespec pause = {.tv_sec = (time_t)ahead, .tv_nsec = (long)((ahead - (time_t)ahead) * 1e9)};
  nanosleep(&pause, NULL);
}

static int send_request(struct connection *c, int number, double started) {
  char head[HEAD_MAX];
  size_t length = uploading ? requests_write_upload(&requests, number, size, head)
                            : requests_write_read(&requests, number, 0, size, head);
  struct upload body = {.head = head, .head_length = length, .number = number, .size = uploading ? size : 0};
  int more;
  while ((more = content_send(c, &body, 1)) > 0) keep_pace(started, body.at);
  return more == 0;
}

/* Returns the status, or 0. */
static int transfer(struct connection *c, int number) {
  double started = now();
  struct answer answer;
  if (!connection_open(c) || !send_request(c, number, started) || !connection_read_head(c, &answer)) return 0;
  if (c->answered_early && answer.status <= 299) return connection_fail(c, MALFORMED);
  uint64_t received = 0;
  ssize_t got;
  while ((got = connection_read_body(c, &answer)) > 0) {
    received += got;
    if (!uploading) keep_pace(started, received);
  }
  if (got < 0 || !connection_finish(c, &answer)) return 0;
  if (!uploading && answer.status <= 299 && received != size) return connection_fail(c, MALFORMED);
  return answer.status;
}

static void work(int number, struct tally *tally) {
  struct connection c = connection_to(requests.port);
  /* Small kernel buffers: what a slow client has not taken must wait in the server, not in its own socket. */
  if (rate > 0) c.send_buffer = c.receive_buffer = PACED_BUFFER;
  connection_open(&c);
  workers_start();
  double started = now();
  int status = transfer(&c, number);
  tally_add(tally, status, &c, now() - started, size);
  connection_close(&c);
  free(c.buffer);
}

static int explain(void) {
  fprintf(stderr, "crowd [-H 'Name: value']... PORT POST|PUT|GET CLIENTS BYTES RATE PATH\n");
  return 2;
}

int main(int argc, char **argv) {
  for (int option; (option = getopt(argc, argv, "+H:")) != -1;) {
    if (option == 'H') requests_add_header(&requests, optarg);
    else return explain();
  }
  argv += optind, argc -= optind;
  if (argc != 6) return explain();
  requests.port = atoi(argv[0]);
  requests.method = argv[1];
  clients = atoi(argv[2]);
  size = strtoull(argv[3], NULL, 10);
  rate = strtoull(argv[4], NULL, 10);
  requests_take_path(&requests, argv[5]);
  uploading = strcmp(requests.method, "GET") != 0;
  if (uploading && requests.paths != NULL && requests.path_count < (uint64_t)clients) {
    fprintf(stderr, "crowd: %llu paths for %d uploads\n", (unsigned long long)requests.path_count, clients);
    return 2;
  }
  if (uploading) content_make(content_fresh_seed(), 1);
  struct run run = workers_run(clients, work);
  printf("{\"clients\":%d,\"bytes\":%llu,\"seconds\":%.6f,\"mbPerSecond\":%.1f,\"cpuSeconds\":%.6f,", clients,
         (unsigned long long)run.tally.bytes, run.seconds, run.tally.bytes / run.seconds / 1e6, run.cpu_seconds);
  tally_print_failures(&run.tally);
  printf("}\n");
  return 0;
}
