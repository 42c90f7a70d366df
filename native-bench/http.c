#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { BUFFER = 128 << 10, LINES = 2 << 10, STILL_SECONDS = 60, LOOK_MS = 100, LOOKS = STILL_SECONDS * 1000 / LOOK_MS };

struct connection connection_to(int port) { return (struct connection){.port = port, .fd = -1, .buffer = malloc(BUFFER)}; }

int connection_open(struct connection *c) {
  if (c->fd >= 0) return 1;
  c->at = c->end = 0;
  c->answered_early = 0;
  c->failure = NO_FAILURE;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (c->send_buffer > 0) setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &c->send_buffer, sizeof c->send_buffer);
  if (c->receive_buffer > 0) setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &c->receive_buffer, sizeof c->receive_buffer);
  /* A blocked send looks up now and then, to see whether the server has answered instead of reading on. */
  struct timeval look = {.tv_usec = LOOK_MS * 1000}, still = {.tv_sec = STILL_SECONDS};
  setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &look, sizeof look);
  setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &still, sizeof still);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(c->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  /* A full backlog makes connect wait as long as a send may, and then fail: it goes on where it was. */
  for (int tried = 0; tried < LOOKS; tried++) {
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == EISCONN) return 1;
    if (errno != EINPROGRESS && errno != EALREADY && errno != EINTR) break;
  }
  return connection_fail(c, REFUSED);
}

void connection_close(struct connection *c) {
  if (c->fd >= 0) close(c->fd);
  c->fd = -1;
}

int connection_fail(struct connection *c, enum failure failure) {
  c->failure = failure;
  connection_close(c);
  return 0;
}

static int has_input(const struct connection *c) {
  struct pollfd wait = {.fd = c->fd, .events = POLLIN};
  return poll(&wait, 1, 0) > 0;
}

int connection_send(struct connection *c, struct iovec *parts, int count) {
  for (int still = 0; count > 0 && still < LOOKS;) {
    if (parts->iov_len == 0) {
      parts++, count--;
      continue;
    }
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    ssize_t sent = sendmsg(c->fd, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
      /* Closed by the server, perhaps behind an answer: reading tells. */
      c->answered_early = 1;
      return 1;
    }
    still = sent > 0 ? 0 : still + 1;
    for (size_t left = sent > 0 ? sent : 0; left > 0;) {
      size_t taken = left < parts->iov_len ? left : parts->iov_len;
      parts->iov_base = (char *)parts->iov_base + taken;
      parts->iov_len -= taken;
      left -= taken;
      if (parts->iov_len == 0) parts++, count--;
    }
    if (still > 0 && has_input(c)) {
      c->answered_early = 1;
      return 1;
    }
  }
  return count == 0 || connection_fail(c, BROKEN);
}

/*
 * Receives lines behind what is there. Returns 0 at the end of the stream, -1 when it broke off. Little at a time: what
 * comes with it of a body is copied here, and what is left is dropped by the kernel.
 */
static ssize_t receive(struct connection *c) {
  if (c->at == c->end) c->at = c->end = 0;
  size_t room = BUFFER - c->end;
  ssize_t got;
  do got = recv(c->fd, c->buffer + c->end, room < LINES ? room : LINES, 0);
  while (got < 0 && errno == EINTR);
  if (got > 0) c->end += got;
  return got;
}

/* Drops up to so many bytes of a body without copying them here, so that the server has the cores. Returns as `receive`. */
static ssize_t swallow(struct connection *c, uint64_t left) {
  ssize_t got;
  do got = recv(c->fd, NULL, left < BUFFER ? left : BUFFER, MSG_TRUNC);
  while (got < 0 && errno == EINTR);
  return got;
}

/* The next line without its end, valid until more is read; NULL when there is none. */
static char *read_line(struct connection *c) {
  for (size_t seen = 0;;) {
    char *line = c->buffer + c->at, *end = memchr(line + seen, '\n', c->end - c->at - seen);
    if (end != NULL) {
      c->at += end + 1 - line;
      *end = 0;
      if (end > line && end[-1] == '\r') end[-1] = 0;
      return line;
    }
    seen = c->end - c->at;
    memmove(c->buffer, line, seen);
    c->at = 0;
    c->end = seen;
    if (seen == BUFFER) {
      connection_fail(c, MALFORMED);
      return NULL;
    }
    /* With nothing left, `receive` begins at the front itself. */
    if (receive(c) <= 0) {
      connection_fail(c, BROKEN);
      return NULL;
    }
  }
}

static const char *value_of(const char *line, const char *name) {
  size_t length = strlen(name);
  if (strncasecmp(line, name, length) != 0 || line[length] != ':') return NULL;
  return line + length + 1 + strspn(line + length + 1, " \t");
}

int connection_read_head(struct connection *c, struct answer *answer) {
  do {
    char *line = read_line(c);
    if (line == NULL) return 0;
    if (strncmp(line, "HTTP/1.", 7) != 0 || strlen(line) < 12) return connection_fail(c, MALFORMED);
    *answer = (struct answer){.status = atoi(line + 9), .keep = line[7] != '0', .until_close = 1};
    if (answer->status < 100 || answer->status > 999) return connection_fail(c, MALFORMED);
    for (const char *value;;) {
      if ((line = read_line(c)) == NULL) return 0;
      if (line[0] == 0) break;
      if ((value = value_of(line, "content-length"))) answer->left = strtoull(value, NULL, 10), answer->until_close = 0;
      else if ((value = value_of(line, "transfer-encoding"))) answer->chunked = strcasestr(value, "chunked") != NULL;
      else if ((value = value_of(line, "connection"))) answer->keep = strcasestr(value, "close") == NULL;
    }
  } while (answer->status < 200);
  if (answer->status == 204 || answer->status == 304) answer->left = answer->chunked = answer->until_close = 0;
  if (answer->chunked) answer->left = answer->until_close = 0;
  if (answer->until_close) answer->left = UINT64_MAX, answer->keep = 0;
  return answer->status;
}

/* Up to the bytes of the next chunk, or past the trailers. */
static int read_chunk_head(struct connection *c, struct answer *answer) {
  char *line = read_line(c), *end;
  if (line != NULL && line[0] == 0) line = read_line(c); /* what ends the chunk before */
  if (line == NULL) return 0;
  answer->left = strtoull(line, &end, 16);
  if (end == line) return connection_fail(c, MALFORMED);
  if (answer->left > 0) return 1;
  answer->chunked = 0;
  while ((line = read_line(c)) != NULL)
    if (line[0] == 0) return 1;
  return 0;
}

ssize_t connection_read_body(struct connection *c, struct answer *answer) {
  if (answer->left == 0 && answer->chunked && !read_chunk_head(c, answer)) return -1;
  if (answer->left == 0) return 0;
  if (c->at == c->end) {
    ssize_t got = swallow(c, answer->left);
    if (got == 0 && answer->until_close) return 0;
    if (got <= 0) {
      connection_fail(c, BROKEN);
      return -1;
    }
    answer->left -= got;
    return got;
  }
  uint64_t have = c->end - c->at, count = have < answer->left ? have : answer->left;
  c->at += count;
  answer->left -= count;
  return count;
}

int connection_finish(struct connection *c, const struct answer *answer) {
  if (c->at != c->end) return connection_fail(c, MALFORMED);
  if (!answer->keep || c->answered_early) connection_close(c);
  return 1;
}
