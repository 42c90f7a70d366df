/*
 * One client's HTTP/1.1 connection over loopback, for one request at a time. Understands answers with Content-Length,
 * chunked, or ended by closing; reads bodies and throws them away. Blocking, one thread a connection.
 *
 * What fails leaves its kind in `failure`; the connection is then closed, and may be opened again.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum failure { NO_FAILURE, REFUSED, BROKEN, MALFORMED };

struct connection {
  int port;
  int send_buffer, receive_buffer; /* bytes in the kernel, 0 for its own choice */
  int fd;                          /* -1 when closed */
  enum failure failure;
  int answered_early; /* before all was sent: what is left need not be sent, and nothing can follow */
  char *buffer;
  size_t at, end; /* of what has been received and not read */
};

struct answer {
  int status;
  int keep;    /* whether the server takes another request on this connection */
  int chunked; /* and more chunks may follow */
  int until_close;
  uint64_t left; /* of the body, or of its chunk */
};

struct connection connection_to(int port);

/* Does nothing when it is open. Returns 0 when the server does not take it. */
int connection_open(struct connection *);
void connection_close(struct connection *);

/*
 * Sends all parts, which it changes. Returns 1, also when an answer has come and the server takes no more (see
 * `answered_early`), or 0 when the connection stood still for a minute.
 */
int connection_send(struct connection *, struct iovec *parts, int count);

/* Reads up to the body, past answers like 100. Returns the status, or 0. */
int connection_read_head(struct connection *, struct answer *);

/* Reads some of the body. Returns how many bytes, 0 at its end, or -1. */
ssize_t connection_read_body(struct connection *, struct answer *);

/* Once the body has been read; closes where nothing can follow. Returns 0 when more came than was announced. */
int connection_finish(struct connection *, const struct answer *);

/* Fails by hand: an answer that is well-formed but not what was asked for. Always 0. */
int connection_fail(struct connection *, enum failure);

#endif
