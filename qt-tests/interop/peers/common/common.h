/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * What the peers in C have in common: their arguments, their socket, and the echo. */
#ifndef COMMON_H
#define COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct options {
    bool server;
    int port;
    const char *ca;
    const char *cert;
    const char *key;
    unsigned char psk[64];
    size_t psk_size;
    const char *identity;
    const char *suite; /* the name of IANA's registry */
    const char *alpn;
    bool demand; /* the client's certificate */
    bool resume; /* a client connects twice */
    bool renegotiate; /* a server asks for it, again and again, before it echoes */
};

struct options read_options(int argc, char **argv);

/* A client's socket, connected; or a server's, bound. */
int open_socket(const struct options *options);
/* Waits for the next client of a server and connects the socket to it. */
void await_client(int fd);
/* Lets a server's socket hear all again. */
void forget_client(int fd);
/* True when something came within the time. */
bool wait_readable(int fd, int milliseconds);

/* Whether the message asks for the end of the connection. */
bool asks_to_close(const unsigned char *message, size_t size);
/* Prints one line at once. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
