/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#ifdef __cplusplus
extern "C" {
#endif

/* A client and a server in this process shake hands, cookie exchange included, and the client sends
 * the server a message. Returns whether all went well. */
int shake_hands(void);

#ifdef __cplusplus
}
#endif

#endif
