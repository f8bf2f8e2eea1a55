// SPDX-License-Identifier: MIT OR Apache-2.0
// The system's declarations of sockets.
#ifndef HARNESS_SYSTEM_SOCKETS_H
#define HARNESS_SYSTEM_SOCKETS_H

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#endif

#endif
