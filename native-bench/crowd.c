/*
 * Many HTTP clients at once over loopback, as fast as they can or each at a steady pace: for measuring what a server
 * holds in memory meanwhile. One thread a client, one request a client, all connected before the first byte moves.
 *
 *   crowd PORT upload CLIENTS BYTES RATE PATH              POST of BYTES distinct bytes; %d in PATH is the client's number
 *   crowd PORT download CLIENTS BYTES RATE < PATHS         GET of the first BYTES; paths one a line, used in turn
 *
 * RATE is bytes a second for each client, 0 for as fast as it goes. Prints one line of JSON; `failures` counts answers
 * that are not 2xx and connections that broke off.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STEP = 64 << 10, PATTERN = 16 << 20, PATHS_MAX = 4096, PACED_BUFFER = 256 << 10 };

static int port, clients, uploading, failures, path_count;
static uint64_t size, rate, run_id, moved;
static char *paths[PATHS_MAX];
static unsigned char *pattern;
static pthread_barrier_t start_line;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

/* Sleeps until `bytes` are due; a client that is late does not catch up by more than it missed. */
static void keep_pace(double started, uint64_t bytes) {
  if (rate == 0) return;
  double ahead = started + (double)bytes / rate - now();
  if (ahead <= 0) return;
  struct timespec pause = {.tv_sec = (time_t)ahead, .tv_nsec = (long)((ahead - (time_t)ahead) * 1e9)};
  nanosleep(&pause, NULL);
}

static int dial(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1, buffer = PACED_BUFFER;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (rate > 0) {
    /* Small kernel buffers: what a slow client has not taken must wait in the server, not in its own socket. */
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  }
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0) return fd;
  perror("crowd: connect");
  exit(1);
}

static int send_all(int fd, const void *from, size_t count) {
  for (const char *at = from; count > 0;) {
    ssize_t sent = send(fd, at, count, MSG_NOSIGNAL);
    if (sent <= 0) return 0;
    at += sent;
    count -= sent;
  }
  return 1;
}

/* Reads a head and what of the body came with it. Returns the status, or 0; `*need` is what is left of the body. */
static int read_head(int fd, uint64_t *need, uint64_t *had) {
  char head[STEP];
  size_t have = 0;
  for (;;) {
    ssize_t got = recv(fd, head + have, sizeof head - 1 - have, 0);
    if (got <= 0) return 0;
    have += got;
    head[have] = 0;
    char *end = memmem(head, have, "\r\n\r\n", 4);
    if (end == NULL) continue;
    *end = 0;
    char *length = strcasestr(head, "\r\ncontent-length:");
    uint64_t body = length ? strtoull(length + 17, NULL, 10) : 0;
    *had = have - (end + 4 - head);
    *need = body > *had ? body - *had : 0;
    return atoi(head + 9);
  }
}

static int drain(int fd, uint64_t had, uint64_t need, double started) {
  char buffer[STEP];
  for (uint64_t done = had; need > 0;) {
    ssize_t got = recv(fd, buffer, need < sizeof buffer ? need : sizeof buffer, 0);
    if (got <= 0) return 0;
    need -= got;
    done += got;
    keep_pace(started, done);
  }
  return 1;
}

static int upload(int fd, int number) {
  unsigned char piece[STEP];
  char target[1024], head[2048];
  snprintf(target, sizeof target, paths[0], number);
  int length = snprintf(head, sizeof head,
                        "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/octet-stream\r\nContent-Length: %llu\r\n\r\n",
                        target, port, (unsigned long long)size);
  double started = now();
  if (!send_all(fd, head, length)) return 0;
  for (uint64_t at = 0; at < size; at += STEP) {
    size_t count = size - at < STEP ? size - at : STEP;
    uint64_t mark[3] = {number, at, run_id};
    memcpy(piece, pattern + at % PATTERN, count);
    memcpy(piece, mark, count < sizeof mark ? count : sizeof mark);
    if (!send_all(fd, piece, count)) return 0;
    keep_pace(started, at + count);
  }
  uint64_t need, had;
  int status = read_head(fd, &need, &had);
  return status >= 200 && status <= 299 && drain(fd, 0, need, 0);
}

static int download(int fd, int number) {
  char head[2048];
  int length = snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nRange: bytes=0-%llu\r\n\r\n",
                        paths[number % path_count], port, (unsigned long long)(size - 1));
  double started = now();
  uint64_t need, had;
  if (!send_all(fd, head, length)) return 0;
  int status = read_head(fd, &need, &had);
  return status >= 200 && status <= 299 && had + need == size && drain(fd, had, need, started);
}

static void *run(void *argument) {
  int number = (int)(intptr_t)argument, fd = dial();
  pthread_barrier_wait(&start_line);
  int succeeded = uploading ? upload(fd, number) : download(fd, number);
  if (succeeded) __atomic_add_fetch(&moved, size, __ATOMIC_RELAXED);
  else __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
  close(fd);
  return NULL;
}

static void read_paths(void) {
  char line[1024];
  while (path_count < PATHS_MAX && fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\r\n")] = 0;
    if (line[0] != 0) paths[path_count++] = strdup(line);
  }
}

static void make_pattern(void) {
  run_id = (uint64_t)time(NULL) << 20 ^ getpid();
  pattern = malloc(PATTERN);
  uint64_t state = 0x9e3779b97f4a7c15 ^ run_id;
  for (size_t at = 0; at < PATTERN; at += 8) {
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    uint64_t word = state * 0x2545f4914f6cdd1d;
    memcpy(pattern + at, &word, 8);
  }
}

int main(int argc, char **argv) {
  uploading = argc == 7 && strcmp(argv[2], "upload") == 0;
  if (!uploading && !(argc == 6 && strcmp(argv[2], "download") == 0)) {
    fprintf(stderr, "crowd PORT upload CLIENTS BYTES RATE PATH | crowd PORT download CLIENTS BYTES RATE < PATHS\n");
    return 2;
  }
  port = atoi(argv[1]);
  clients = atoi(argv[3]);
  size = strtoull(argv[4], NULL, 10);
  rate = strtoull(argv[5], NULL, 10);
  if (uploading) paths[path_count++] = argv[6];
  else read_paths();
  if (path_count == 0) return 2;
  make_pattern();
  pthread_barrier_init(&start_line, NULL, clients + 1);
  pthread_t threads[clients];
  for (int i = 0; i < clients; i++) pthread_create(&threads[i], NULL, run, (void *)(intptr_t)i);
  pthread_barrier_wait(&start_line);
  double started = now();
  for (int i = 0; i < clients; i++) pthread_join(threads[i], NULL);
  double seconds = now() - started;
  printf("{\"clients\":%d,\"bytes\":%llu,\"seconds\":%.6f,\"mbPerSecond\":%.1f,\"failures\":%d}\n", clients, (unsigned long long)moved,
         seconds, moved / seconds / 1e6, failures);
  return 0;
}
