// SPDX-License-Identifier: MIT OR Apache-2.0
//
// A DTLS peer that is OpenSSL alone and can do what QDtls refuses, such as renegotiation.
#pragma once

#include "pair/loopback.h"

#include <openssl/ssl.h>

#include <memory>

namespace hardening {

using namespace pair;

class OpenSslPeer {
public:
    enum class Side { Client, Server };

    // A server presents `identity`; a client verifies no one and has no certificate.
    explicit OpenSslPeer(Side side, const Identity &identity = Identity());

    void setPeer(const QUdpSocket &peer);

    // Start or go on with the handshake, send what results.
    void advance();
    // Hand one datagram to OpenSSL, send what results.
    void process(const QByteArray &datagram);
    // process() all that waits on the socket; false when nothing waited.
    bool deliver();

    void send(const QByteArray &plain);
    // Ask for short records (RFC 6066, 4), before the handshake: a TLSEXT_max_fragment_length_*
    // number.
    void limitFragments(quint8 code);
    // Send a close_notify.
    void close();
    bool isClosedByPeer() const;
    // Ask for a second handshake, in which a server presents `identity`.
    void renegotiate(const Identity &identity = Identity());

    bool isComplete() const;
    // The number of Finished messages from the peer.
    int finishedByPeer() const { return finished; }

    QUdpSocket socket;
    QByteArrayList received;
    QByteArray plain; // application data that came in

private:
    void present(const Identity &identity);
    void flush();
    static void onMessage(int sent, int version, int type, const void *data, size_t size, SSL *,
                          void *peer);

    template <auto Free> struct Deleter {
        template <typename T> void operator()(T *object) const { Free(object); }
    };

    std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>> context;
    std::unique_ptr<SSL, Deleter<SSL_free>> ssl;
    QHostAddress peerAddress;
    quint16 peerPort = 0;
    int finished = 0;
};

// Deliver in both directions until the wire between `peer` and `other` is quiet. `other` has a
// deliver() and a socket, like Endpoint.
template <typename Other> void exchange(OpenSslPeer &peer, Other &other)
{
    do {
        while (peer.deliver() || other.deliver()) { }
    } while (waitForDatagram(peer.socket, other.socket));
}

} // namespace hardening
