/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "common.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void read_psk(struct options *options, const char *hex)
{
    unsigned byte;
    while (options->psk_size < sizeof options->psk && sscanf(hex, "%2x", &byte) == 1) {
        options->psk[options->psk_size++] = (unsigned char)byte;
        hex += 2;
    }
}

struct options read_options(int argc, char **argv)
{
    struct options options = { 0 };
    for (int i = 1; i < argc; ++i) {
        const char *name = argv[i];
        char *value = strchr(argv[i], '=');
        if (!value)
            continue;
        *value++ = '\0';
        if (!strcmp(name, "role"))
            options.server = !strcmp(value, "server");
        else if (!strcmp(name, "port"))
            options.port = atoi(value);
        else if (!strcmp(name, "ca"))
            options.ca = value;
        else if (!strcmp(name, "cert"))
            options.cert = value;
        else if (!strcmp(name, "key"))
            options.key = value;
        else if (!strcmp(name, "psk"))
            read_psk(&options, value);
        else if (!strcmp(name, "identity"))
            options.identity = value;
        else if (!strcmp(name, "suite"))
            options.suite = value;
        else if (!strcmp(name, "alpn"))
            options.alpn = value;
        else if (!strcmp(name, "demand"))
            options.demand = true;
        else if (!strcmp(name, "resume"))
            options.resume = true;
        else if (!strcmp(name, "renegotiate"))
            options.renegotiate = true;
    }
    return options;
}

int open_socket(const struct options *options)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)options->port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int (*call)(int, const struct sockaddr *, socklen_t) = options->server ? bind : connect;
    if (fd < 0 || call(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        perror("socket");
        exit(2);
    }
    return fd;
}

void await_client(int fd)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    char byte;
    if (recvfrom(fd, &byte, 1, MSG_PEEK, (struct sockaddr *)&address, &size) < 0
        || connect(fd, (const struct sockaddr *)&address, size) != 0)
        perror("await_client");
}

void forget_client(int fd)
{
    const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
    if (connect(fd, &nobody, sizeof nobody) != 0)
        perror("forget_client");
}

bool wait_readable(int fd, int milliseconds)
{
    struct pollfd descriptor = { .fd = fd, .events = POLLIN };
    return poll(&descriptor, 1, milliseconds) > 0;
}

bool asks_to_close(const unsigned char *message, size_t size)
{
    static const char request[] = "please-close\n";
    return size == strlen(request) && !memcmp(message, request, size);
}

void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}
