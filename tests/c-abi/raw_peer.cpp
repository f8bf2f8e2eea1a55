// SPDX-License-Identifier: MIT OR Apache-2.0
#include "raw_peer.h"
#include "cases.h"
#include "pair.h"

namespace harness {

namespace {

// OpenSSL 1.1.1 does not get past a warning: it reports the same one until it has enough.
void noteAlert(const SSL *ssl, int where, int alert)
{
    auto &alerts = static_cast<RawPeer *>(SSL_get_app_data(ssl))->alerts;
    const std::pair<int, int> found { alert >> 8, alert & 0xff };
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT
        && (alerts.empty() || alerts.back() != found))
        alerts.push_back(found);
}

BIO *memoryBio()
{
    BIO *bio = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(bio, -1);
    return bio;
}

} // namespace

RawPeer::RawPeer(SSL_CTX *context, qdtls_role role)
    : ssl(SSL_new(context))
{
    SSL_set_app_data(ssl.get(), this);
    SSL_set_info_callback(ssl.get(), noteAlert);
    SSL_set_options(ssl.get(), SSL_OP_NO_QUERY_MTU);
    DTLS_set_link_mtu(ssl.get(), 1500);
    SSL_set_bio(ssl.get(), memoryBio(), memoryBio());
    if (role == QDTLS_ROLE_CLIENT)
        SSL_set_connect_state(ssl.get());
    else
        SSL_set_accept_state(ssl.get());
}

int RawPeer::handshake()
{
    return SSL_do_handshake(ssl.get());
}

void RawPeer::receive(const Bytes &datagram)
{
    const int length = static_cast<int>(datagram.size());
    CHECK_EQUAL(BIO_write(SSL_get_rbio(ssl.get()), datagram.data(), length), length);
}

Bytes RawPeer::take()
{
    Bytes datagram(BIO_ctrl_pending(SSL_get_wbio(ssl.get())));
    const int length = static_cast<int>(datagram.size());
    if (length > 0)
        CHECK_EQUAL(BIO_read(SSL_get_wbio(ssl.get()), datagram.data(), length), length);
    return datagram;
}

void RawPeer::connect(Endpoint &ours)
{
    const bool weBegin = SSL_is_server(ssl.get()) == 1;
    if (weBegin)
        CHECK_EQUAL(ours.start(), QDTLS_STATUS_OK);
    for (int flight = 0; flight < 4; ++flight) {
        while (!ours.outbox.empty())
            receive(ours.take());
        handshake();
        const Bytes datagram = take();
        if (datagram.empty())
            continue;
        const bool first = ours.state() == QDTLS_STATE_NOT_STARTED;
        CHECK_EQUAL(first ? ours.start(datagram) : ours.proceed(datagram), QDTLS_STATUS_OK);
        acceptWhenAsked(ours);
    }
    CHECK_EQUAL(SSL_is_init_finished(ssl.get()), 1);
    CHECK_EQUAL(ours.state(), QDTLS_STATE_COMPLETE);
}

std::string RawPeer::readMessage()
{
    Bytes buffer(1 << 14);
    const int length = SSL_read(ssl.get(), buffer.data(), static_cast<int>(buffer.size()));
    buffer.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    return textOf(buffer);
}

} // namespace harness
