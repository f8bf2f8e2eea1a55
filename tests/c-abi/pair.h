// SPDX-License-Identifier: MIT OR Apache-2.0
// A client and a server with a listener in front, and the network between them.
#ifndef HARNESS_PAIR_H
#define HARNESS_PAIR_H

#include "endpoint.h"

namespace harness {

// For many pairs: to make a context takes longer than a handshake, above all under valgrind.
struct Contexts {
    ContextPtr client = clientContext();
    ContextPtr server = serverContext(makeIdentity());
};

class Pair {
public:
    // A pair whose server shows a certificate.
    explicit Pair(const qdtls_address &address = ipv4());
    explicit Pair(const Contexts &shared);
    Pair(ContextPtr clientSide, ContextPtr serverSide, const qdtls_address &address = ipv4());
    // A pair with a pre-shared key on both sides.
    static std::unique_ptr<Pair> psk(const char *hint = nullptr);

    // The cookie exchange, the handshake, and the verdicts, with retransmissions where they are
    // needed.
    void connect();
    // Delivers datagrams until neither side sends.
    void deliver();
    // The cookie exchange and the handshake, to where both sides ask for a verdict.
    void connectUntilVerdicts();
    // The client's ClientHello with a valid cookie; the server has not seen it.
    Bytes verifiedHello();
    // Checks that messages get through in both directions.
    void checkMessages();

    // How often the network delivers its nth datagram, counted from 0.
    std::function<int(std::size_t)> copies = [](std::size_t) { return 1; };
    // The longest datagram that it delivers.
    std::size_t longest = 65507;
    // Whether it delivers the datagrams of a flight in reverse order.
    bool reversing = false;
    std::size_t carried = 0;

    PatientTimers timers;
    qdtls_address address;
    ContextPtr clientTls;
    ContextPtr serverTls;
    Listener listener;
    Endpoint client;
    Endpoint server;

private:
    using Receive = void (Pair::*)(const Bytes &);
    void carry(std::deque<Bytes> &outbox, Receive receive);
    void toClient(const Bytes &datagram);
    void toServer(const Bytes &datagram);
    void waitForTimer();
};

// Accepts the peer when the connection asks for a verdict.
void acceptWhenAsked(Endpoint &endpoint);

// Answers every request for a pre-shared key.
void answerWithPsk(Program &program, const Bytes &key, const std::string &identity = "client");

} // namespace harness

#endif
