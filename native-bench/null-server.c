/*
 * What a client could reach at all: a server that sends and swallows bytes and does nothing else. Prints "ready".
 *
 *   null-server PORT SIZE
 *
 * GET is answered with SIZE bytes, or with the one range of them that was asked for, out of one warm buffer that is
 * repeated. Bodies of other requests are swallowed (Content-Length only; Expect is ignored), then 201 with a small JSON.
 * Connections are kept. Any path will do.
 *
 * It swallows with MSG_TRUNC: the kernel drops the bytes instead of copying them to this process, which any server that
 * wants them must have it do. So for uploads this is the ceiling of the client, not that of a server; what receiving
 * costs at least is what `receive-hash-write` shows. And what it sends never comes from a disk or from more memory than
 * a core's cache holds.
 *
 * One thread a core, each with an epoll of its own; connections are dealt out in turn. It sends from its own memory
 * because sendfile from a file in memory took 1.1 to 2.5 times the CPU time, client and server together.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BODY = 256 << 10, PARTS = 4, HEAD = 16 << 10, SWALLOW = 16 << 20, EVENTS = 64, SENDS_A_TURN = 8 };

enum state { READING, SWALLOWING, SENDING };

struct client {
  int fd, epoll, watches_output, closes;
  enum state state;
  uint64_t left, at; /* of the body that is swallowed or sent; where in the buffer it goes on */
  size_t have, answer_at, answer_length;
  char head[HEAD], answer[256];
};

static char *warm; /* BODY bytes */
static uint64_t size;

static void die(const char *what) {
  fprintf(stderr, "null-server: %s: %s\n", what, strerror(errno));
  exit(1);
}

static const char *find_header(const char *head, const char *name) {
  const char *line = strcasestr(head, name);
  return line == NULL ? NULL : line + strlen(name);
}

/* Returns 206, 200 when there is no range to speak of, or 416. */
static int take_range(const char *head, uint64_t *first, uint64_t *count) {
  const char *range = find_header(head, "\r\nrange: bytes=");
  *first = 0, *count = size;
  if (range == NULL) return 200;
  char *end;
  if (*range == '-') {
    uint64_t suffix = strtoull(range + 1, NULL, 10);
    *count = suffix < size ? suffix : size;
    *first = size - *count;
    return *count > 0 ? 206 : 416;
  }
  *first = strtoull(range, &end, 10);
  uint64_t last = end[0] == '-' && end[1] >= '0' && end[1] <= '9' ? strtoull(end + 1, NULL, 10) : size - 1;
  if (*first >= size || last < *first) return 416;
  *count = (last < size ? last + 1 : size) - *first;
  return 206;
}

static void answer_get(struct client *client, int is_head) {
  uint64_t first, count;
  int status = take_range(client->head, &first, &count);
  unsigned long long from = first, length = status == 416 ? 0 : count, all = size;
  char range[96] = "";
  if (status == 206) snprintf(range, sizeof range, "Content-Range: bytes %llu-%llu/%llu\r\n", from, from + length - 1, all);
  if (status == 416) snprintf(range, sizeof range, "Content-Range: bytes */%llu\r\n", all);
  const char *words = status == 206 ? "206 Partial Content" : status == 200 ? "200 OK" : "416 Range Not Satisfiable";
  client->answer_length =
      snprintf(client->answer, sizeof client->answer, "HTTP/1.1 %s\r\nContent-Length: %llu\r\n%s\r\n", words, length, range);
  client->state = SENDING;
  client->answer_at = 0;
  client->at = first % BODY;
  client->left = is_head ? 0 : length;
}

static void answer_text(struct client *client, const char *status, const char *body) {
  const char *head = "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s";
  client->answer_length = snprintf(client->answer, sizeof client->answer, head, status, strlen(body), body);
  client->state = SENDING;
  client->answer_at = 0;
  client->left = 0;
}

/* Takes the head, and what of the body came with it, out of the buffer. */
static void take_request(struct client *client, char *end) {
  size_t used = end + 4 - client->head;
  *end = 0;
  const char *length = find_header(client->head, "\r\ncontent-length:"), *closing = find_header(client->head, "\r\nconnection:");
  client->closes = closing != NULL && strncasecmp(closing + strspn(closing, " "), "close", 5) == 0;
  if (strncmp(client->head, "GET ", 4) == 0) {
    answer_get(client, 0);
  } else if (strncmp(client->head, "HEAD ", 5) == 0) {
    answer_get(client, 1);
  } else if (find_header(client->head, "\r\ntransfer-encoding:") != NULL) {
    answer_text(client, "411 Length Required", "{}");
    client->closes = 1;
  } else {
    client->state = SWALLOWING;
    client->left = length == NULL ? 0 : strtoull(length, NULL, 10);
    size_t had = client->have - used < client->left ? client->have - used : client->left;
    client->left -= had;
    used += had;
  }
  client->have -= used;
  memmove(client->head, client->head + used, client->have);
}

/* These return 1 to go on, 0 to wait for the client, -1 to close. */

static int read_request(struct client *client) {
  char *end = client->have == 0 ? NULL : memmem(client->head, client->have, "\r\n\r\n", 4);
  if (end != NULL) {
    take_request(client, end);
    return 1;
  }
  if (client->have == sizeof client->head) return -1;
  ssize_t got = recv(client->fd, client->head + client->have, sizeof client->head - client->have, MSG_DONTWAIT);
  if (got <= 0) return got < 0 && errno == EAGAIN ? 0 : -1;
  client->have += got;
  return 1;
}

static int swallow(struct client *client) {
  if (client->left == 0) {
    answer_text(client, "201 Created", "{\"stored\":false}");
    return 1;
  }
  ssize_t got = recv(client->fd, NULL, client->left < SWALLOW ? client->left : SWALLOW, MSG_DONTWAIT | MSG_TRUNC);
  if (got <= 0) return got < 0 && errno == EAGAIN ? 0 : -1;
  client->left -= got;
  return client->left == 0;
}

static int send_answer(struct client *client) {
  struct iovec parts[1 + PARTS];
  int count = 0;
  size_t head = client->answer_length - client->answer_at;
  uint64_t at = client->at, left = client->left;
  if (head > 0) parts[count++] = (struct iovec){client->answer + client->answer_at, head};
  while (count < PARTS && left > 0) {
    uint64_t length = BODY - at < left ? BODY - at : left;
    parts[count++] = (struct iovec){warm + at, length};
    left -= length;
    at = 0;
  }
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
  ssize_t sent = sendmsg(client->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) return errno == EAGAIN ? 0 : -1;
  size_t of_head = (size_t)sent < head ? (size_t)sent : head;
  client->answer_at += of_head;
  client->at = (client->at + sent - of_head) % BODY;
  client->left -= sent - of_head;
  if (client->answer_at < client->answer_length || client->left > 0) return 1;
  if (client->closes) return -1;
  client->state = READING;
  /* Without a request in the buffer there is most likely none in the socket yet. */
  return client->have > 0;
}

static void serve(struct client *client) {
  int goes_on = 1;
  for (int sends = 0; goes_on > 0 && (client->state != SENDING || sends < SENDS_A_TURN);) {
    if (client->state == READING) goes_on = read_request(client);
    else if (client->state == SWALLOWING) goes_on = swallow(client);
    else goes_on = send_answer(client), sends++;
  }
  if (goes_on < 0) {
    close(client->fd);
    free(client);
    return;
  }
  int waits_to_send = client->state == SENDING;
  if (waits_to_send == client->watches_output) return;
  client->watches_output = waits_to_send;
  struct epoll_event event = {.events = waits_to_send ? EPOLLOUT : EPOLLIN, .data.ptr = client};
  epoll_ctl(client->epoll, EPOLL_CTL_MOD, client->fd, &event);
}

static void *work(void *argument) {
  int epoll = (int)(intptr_t)argument;
  struct epoll_event events[EVENTS];
  for (;;) {
    int count = epoll_wait(epoll, events, EVENTS, -1);
    for (int i = 0; i < count; i++) serve(events[i].data.ptr);
  }
  return NULL;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "null-server PORT SIZE\n");
    return 2;
  }
  size = strtoull(argv[2], NULL, 10);
  warm = malloc(BODY);
  for (int at = 0; at < BODY; at++) warm[at] = at * 2654435761u >> 13;
  int server = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(server, (struct sockaddr *)&here, sizeof here) != 0 || listen(server, 1024) != 0) die("listen");
  int count = sysconf(_SC_NPROCESSORS_ONLN), epolls[count];
  for (int i = 0; i < count; i++) {
    pthread_t thread;
    epolls[i] = epoll_create1(0);
    pthread_create(&thread, NULL, work, (void *)(intptr_t)epolls[i]);
  }
  printf("ready\n");
  fflush(stdout);
  for (unsigned next = 0;; next++) {
    int fd = accept(server, NULL, NULL);
    if (fd < 0 && errno == ECONNABORTED) continue;
    if (fd < 0) die("accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct client *client = calloc(1, sizeof *client);
    client->fd = fd;
    client->epoll = epolls[next % count];
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    epoll_ctl(client->epoll, EPOLL_CTL_ADD, fd, &event);
  }
}
