// SPDX-License-Identifier: MIT OR Apache-2.0
// The library's handles with a network of queues around them.
#ifndef HARNESS_ENDPOINT_H
#define HARNESS_ENDPOINT_H

#include "tls.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace harness {

// A place for an error.
inline qdtls_error noError()
{
    return { sizeof(qdtls_error), 0, 0, 0, nullptr, nullptr };
}

using Bytes = std::vector<std::uint8_t>;

// 127.0.0.1, ::1, and fe80::1 in a zone.
qdtls_address ipv4(std::uint16_t port = 5684);
qdtls_address ipv6(std::uint16_t port = 5684);
qdtls_address linkLocal(std::uint32_t scope = 3);

Bytes bytesOf(const std::string &text);
std::string textOf(const Bytes &bytes);

// The program behind a handle: its callbacks and what they have seen.
class Program {
public:
    qdtls_callbacks callbacks();

    std::deque<Bytes> outbox;
    // Runs in place of putting the datagram into the outbox.
    std::function<std::int32_t(const Bytes &)> onSend;
    std::function<void(const qdtls_psk_request &, qdtls_psk_reply *)> onPsk;
    std::function<void()> onRelease;
    // Chooses the context for a server name, or null; false refuses the client.
    std::function<bool(const std::string &, SSL_CTX **)> onServerName;
    // Runs before the time is given.
    std::function<void()> onNow;
    // Milliseconds; each look at the clock takes one.
    std::uint64_t now = 1700000000000;
    int released = 0;
};

// A cookie handle, freed with its scope.
class Cookie {
public:
    Cookie();
    ~Cookie();
    Cookie(const Cookie &) = delete;
    Cookie &operator=(const Cookie &) = delete;

    qdtls_cookie *handle = nullptr;
};

// Waits until a warning that recurs may be written again: each kind is once a second (A8).
void waitForWarnings();

class Listener : public Program {
public:
    Listener();
    ~Listener();
    Listener(const Listener &) = delete;
    Listener &operator=(const Listener &) = delete;

    bool verify(const Bytes &datagram, const qdtls_address &address = ipv4());
    void free();

    qdtls_listener *handle = nullptr;
};

class Endpoint : public Program {
public:
    explicit Endpoint(qdtls_role role, const qdtls_address &peer = ipv4());
    ~Endpoint();
    Endpoint(const Endpoint &) = delete;
    Endpoint &operator=(const Endpoint &) = delete;

    // Gives the connection an SSL of the context.
    void init(SSL_CTX *context);
    qdtls_status start(const Bytes &datagram = {});
    qdtls_status proceed(const Bytes &datagram);
    qdtls_status write(const std::string &message);
    // The plaintext of the datagram. `end` gets the end of the connection, `status` the status of
    // the call.
    std::string read(const Bytes &datagram);
    qdtls_state state() const;
    qdtls_error lastError() const;
    std::optional<std::uint64_t> timeout() const;
    // Lets time pass until the timer of the handshake expires.
    void waitUntilDue() const;
    qdtls_status handleTimeout();
    // Takes the oldest datagram sent.
    Bytes take();
    void free();

    qdtls_connection *handle = nullptr;
    // Borrowed from the connection.
    SSL *ssl = nullptr;
    qdtls_status status = QDTLS_STATUS_OK;
    std::int32_t need = QDTLS_NEED_DATAGRAM;
    std::int32_t end = QDTLS_STATUS_OK;
};

// Sets a setting until the end of the scope.
class ScopedSetting {
public:
    ScopedSetting(qdtls_setting name, std::uint64_t value);
    ~ScopedSetting();
    ScopedSetting(const ScopedSetting &) = delete;
    ScopedSetting &operator=(const ScopedSetting &) = delete;

private:
    qdtls_setting name;
    std::uint64_t before = 0;
};

// Long timers, unless the case has set its own: on a slow machine or under valgrind those of the
// library expire where a case counts datagrams.
class PatientTimers {
public:
    PatientTimers();

private:
    std::optional<ScopedSetting> initial;
    std::optional<ScopedSetting> minimum;
};

} // namespace harness

#endif
