// SPDX-License-Identifier: MIT OR Apache-2.0
#include "endpoint.h"
#include "cases.h"
#include "clock.h"

#include <chrono>
#include <thread>
#include <utility>

namespace harness {

qdtls_address ipv4(std::uint16_t port)
{
    return { 4, 0, port, { 127, 0, 0, 1 } };
}

qdtls_address ipv6(std::uint16_t port)
{
    return { 6, 0, port, { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } };
}

qdtls_address linkLocal(std::uint32_t scope)
{
    return { 6, scope, 5684, { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } };
}

Bytes bytesOf(const std::string &text)
{
    return Bytes(text.begin(), text.end());
}

std::string textOf(const Bytes &bytes)
{
    return std::string(bytes.begin(), bytes.end());
}

extern "C" {

static std::int32_t sendDatagram(void *user, const std::uint8_t *datagram, std::size_t length)
{
    auto *program = static_cast<Program *>(user);
    const Bytes bytes(datagram, datagram + length);
    if (program->onSend)
        return program->onSend(bytes);
    program->outbox.push_back(bytes);
    return QDTLS_SEND_RESULT_SENT;
}

static void askForPsk(void *user, const qdtls_psk_request *request, qdtls_psk_reply *reply)
{
    auto *program = static_cast<Program *>(user);
    if (program->onPsk)
        program->onPsk(*request, reply);
}

static std::uint64_t tellTime(void *user)
{
    auto *program = static_cast<Program *>(user);
    if (program->onNow)
        program->onNow();
    return program->now++;
}

static void noteRelease(void *user)
{
    auto *program = static_cast<Program *>(user);
    ++program->released;
    if (program->onRelease)
        program->onRelease();
}

static std::int32_t chooseContext(void *user, const std::uint8_t *name, std::size_t length,
                                  SSL_CTX **context)
{
    auto *program = static_cast<Program *>(user);
    const std::string text(name, name + length);
    return !program->onServerName || program->onServerName(text, context) ? 0 : 1;
}

} // extern "C"

qdtls_callbacks Program::callbacks()
{
    return { sizeof(qdtls_callbacks),
             this,
             sendDatagram,
             askForPsk,
             tellTime,
             noteRelease,
             nullptr,
             chooseContext };
}

void waitForWarnings()
{
    std::this_thread::sleep_for(std::chrono::milliseconds(1001));
}

Cookie::Cookie()
{
    CHECK_EQUAL(qdtls_cookie_new(&handle), QDTLS_STATUS_OK);
}

Cookie::~Cookie()
{
    qdtls_cookie_free(handle);
}

Listener::Listener()
{
    const qdtls_callbacks mine = callbacks();
    CHECK_EQUAL(qdtls_listener_new(&mine, &handle), QDTLS_STATUS_OK);
}

Listener::~Listener()
{
    free();
}

bool Listener::verify(const Bytes &datagram, const qdtls_address &address)
{
    bool verified = false;
    CHECK_EQUAL(
        qdtls_listener_verify(handle, &address, datagram.data(), datagram.size(), &verified),
        QDTLS_STATUS_OK);
    return verified;
}

void Listener::free()
{
    qdtls_listener_free(std::exchange(handle, nullptr));
}

Endpoint::Endpoint(qdtls_role role, const qdtls_address &peer)
{
    const qdtls_callbacks mine = callbacks();
    CHECK_EQUAL(qdtls_connection_new(role, &mine, &handle), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_connection_set_peer(handle, &peer), QDTLS_STATUS_OK);
}

Endpoint::~Endpoint()
{
    free();
}

void Endpoint::init(SSL_CTX *context)
{
    SSL *made = nullptr;
    CHECK_EQUAL(qdtls_context_new_ssl(context, &made), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_connection_init_tls(handle, made, nullptr, nullptr), QDTLS_STATUS_OK);
    ssl = made;
}

qdtls_status Endpoint::start(const Bytes &datagram)
{
    return status = qdtls_connection_start(handle, datagram.data(), datagram.size(), &need);
}

qdtls_status Endpoint::proceed(const Bytes &datagram)
{
    return status = qdtls_connection_continue(handle, datagram.data(), datagram.size(), &need);
}

qdtls_status Endpoint::write(const std::string &message)
{
    std::size_t written = 0;
    const Bytes bytes = bytesOf(message);
    status = qdtls_connection_write(handle, bytes.data(), bytes.size(), &written);
    CHECK_EQUAL(written, status == QDTLS_STATUS_OK ? bytes.size() : 0u);
    return status;
}

std::string Endpoint::read(const Bytes &datagram)
{
    std::size_t capacity = 0;
    CHECK_EQUAL(qdtls_connection_read_capacity(handle, datagram.size(), &capacity),
                QDTLS_STATUS_OK);
    Bytes buffer(capacity + 1);
    std::size_t length = 0;
    end = QDTLS_STATUS_OK;
    status = qdtls_connection_read(handle, datagram.data(), datagram.size(), buffer.data(),
                                   capacity, &length, &end);
    CHECK(length <= capacity);
    buffer.resize(length);
    return textOf(buffer);
}

qdtls_state Endpoint::state() const
{
    std::int32_t state = -1;
    CHECK_EQUAL(qdtls_connection_state(handle, &state), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_connection_is_complete(handle), state == QDTLS_STATE_COMPLETE);
    return static_cast<qdtls_state>(state);
}

qdtls_error Endpoint::lastError() const
{
    qdtls_error error = noError();
    CHECK_EQUAL(qdtls_connection_last_error(handle, &error), QDTLS_STATUS_OK);
    return error;
}

std::optional<std::uint64_t> Endpoint::timeout() const
{
    bool running = false;
    std::uint64_t microseconds = 0;
    CHECK_EQUAL(qdtls_connection_timeout(handle, &running, &microseconds), QDTLS_STATUS_OK);
    return running ? std::optional(microseconds) : std::nullopt;
}

void Endpoint::waitUntilDue() const
{
    for (auto left = timeout(); left.value_or(0) > 0; left = timeout())
        passTime(static_cast<std::int64_t>(*left));
}

qdtls_status Endpoint::handleTimeout()
{
    bool retransmitted = false;
    return status = qdtls_connection_handle_timeout(handle, &retransmitted);
}

Bytes Endpoint::take()
{
    CHECK(!outbox.empty());
    Bytes oldest = outbox.front();
    outbox.pop_front();
    return oldest;
}

void Endpoint::free()
{
    qdtls_connection_free(std::exchange(handle, nullptr));
}

ScopedSetting::ScopedSetting(qdtls_setting setting, std::uint64_t value)
    : name(setting)
{
    CHECK_EQUAL(qdtls_setting_get(name, &before), QDTLS_STATUS_OK);
    CHECK_EQUAL(qdtls_setting_set(name, value), QDTLS_STATUS_OK);
}

ScopedSetting::~ScopedSetting()
{
    qdtls_setting_set(name, before);
}

static void lengthen(std::optional<ScopedSetting> &setting, qdtls_setting name,
                     std::uint64_t byDefault)
{
    std::uint64_t value = 0;
    CHECK_EQUAL(qdtls_setting_get(name, &value), QDTLS_STATUS_OK);
    if (value == byDefault)
        setting.emplace(name, 10000u);
}

PatientTimers::PatientTimers()
{
    lengthen(initial, QDTLS_SETTING_TIMEOUT_INITIAL_MS, 400);
    lengthen(minimum, QDTLS_SETTING_TIMEOUT_MIN_MS, 100);
}

} // namespace harness
