// SPDX-License-Identifier: MIT OR Apache-2.0
#include "openssl_peer.h"

namespace hardening {

namespace {

constexpr long linkMtu = 1500;

} // namespace

OpenSslPeer::OpenSslPeer(Side side, const Identity &identity)
    : context(SSL_CTX_new(DTLS_method()))
    , ssl(SSL_new(context.get()))
{
    socket.bind(QHostAddress::LocalHost);
    SSL_set_options(ssl.get(), SSL_OP_NO_QUERY_MTU);
    DTLS_set_link_mtu(ssl.get(), linkMtu);
    SSL_set_msg_callback(ssl.get(), onMessage);
    SSL_set_msg_callback_arg(ssl.get(), this);

    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in, -1);
    BIO_set_mem_eof_return(out, -1);
    SSL_set_bio(ssl.get(), in, out);

    if (side == Side::Client) {
        SSL_set_connect_state(ssl.get());
    } else {
        SSL_set_accept_state(ssl.get());
        present(identity);
    }
}

void OpenSslPeer::present(const Identity &identity)
{
    if (identity.certificate.isNull())
        return;
    const QByteArray certificate = identity.certificate.toDer();
    const QByteArray key = identity.key.toDer();
    SSL_use_certificate_ASN1(ssl.get(), reinterpret_cast<const uchar *>(certificate.constData()),
                             int(certificate.size()));
    SSL_use_PrivateKey_ASN1(EVP_PKEY_EC, ssl.get(),
                            reinterpret_cast<const uchar *>(key.constData()), long(key.size()));
}

void OpenSslPeer::setPeer(const QUdpSocket &peer)
{
    peerAddress = peer.localAddress();
    peerPort = peer.localPort();
}

void OpenSslPeer::advance()
{
    SSL_do_handshake(ssl.get());
    flush();
}

void OpenSslPeer::process(const QByteArray &datagram)
{
    BIO_write(SSL_get_rbio(ssl.get()), datagram.constData(), int(datagram.size()));
    QByteArray buffer(1 << 14, Qt::Uninitialized);
    // SSL_read goes on with a handshake that is not complete.
    for (int size; (size = SSL_read(ssl.get(), buffer.data(), int(buffer.size()))) > 0;)
        plain += buffer.left(size);
    flush();
}

bool OpenSslPeer::deliver()
{
    const QByteArrayList datagrams = takeDatagrams(socket);
    received += datagrams;
    for (const QByteArray &datagram : datagrams)
        process(datagram);
    return !datagrams.isEmpty();
}

void OpenSslPeer::send(const QByteArray &data)
{
    SSL_write(ssl.get(), data.constData(), int(data.size()));
    flush();
}

void OpenSslPeer::limitFragments(quint8 code)
{
    SSL_set_tlsext_max_fragment_length(ssl.get(), code);
}

void OpenSslPeer::close()
{
    SSL_shutdown(ssl.get());
    flush();
}

bool OpenSslPeer::isClosedByPeer() const
{
    return SSL_get_shutdown(ssl.get()) & SSL_RECEIVED_SHUTDOWN;
}

void OpenSslPeer::renegotiate(const Identity &identity)
{
    present(identity);
    SSL_renegotiate(ssl.get());
    advance();
}

bool OpenSslPeer::isComplete() const
{
    return SSL_is_init_finished(ssl.get());
}

// A flight leaves as one datagram: records need no other frame.
void OpenSslPeer::flush()
{
    BIO *out = SSL_get_wbio(ssl.get());
    const auto size = qsizetype(BIO_ctrl_pending(out));
    if (size == 0)
        return;
    QByteArray flight(size, Qt::Uninitialized);
    BIO_read(out, flight.data(), int(size));
    socket.writeDatagram(flight, peerAddress, peerPort);
}

void OpenSslPeer::onMessage(int sent, int, int type, const void *data, size_t size, SSL *,
                            void *peer)
{
    const bool isFinished = type == SSL3_RT_HANDSHAKE && size > 0
        && static_cast<const uchar *>(data)[0] == SSL3_MT_FINISHED;
    if (!sent && isFinished)
        ++static_cast<OpenSslPeer *>(peer)->finished;
}

} // namespace hardening
