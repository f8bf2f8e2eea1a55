// SPDX-License-Identifier: MIT OR Apache-2.0

#ifndef QDTLSRS_TRANSPORT_P_H
#define QDTLSRS_TRANSPORT_P_H

// The way into Rust and back: a Call goes in, the callbacks of a Transport come out.

// First, because Qt's private OpenSSL headers rely on it.
#include "qsslsocket_openssl_symbols_p.h"

#include <qdtls_rs.h>

#include <QtNetwork/qhostaddress.h>
#include <QtNetwork/qudpsocket.h>

#include <QtCore/qbytearray.h>
#include <QtCore/qpointer.h>
#include <QtCore/qstring.h>

QT_BEGIN_NAMESPACE

class QdtlsRsConnection;

namespace QdtlsRs {

inline const uint8_t *bytesOf(const QByteArray &array)
{
    return reinterpret_cast<const uint8_t *>(array.constData());
}

inline size_t sizeOf(const QByteArray &array)
{
    return size_t(array.size());
}

inline uint8_t *writableBytesOf(QByteArray &array)
{
    return reinterpret_cast<uint8_t *>(array.data_ptr().data());
}

// Cuts `array`, which nobody shares, to `length`: what QByteArray::truncate does, inline.
inline void shorten(QByteArray &array, size_t length)
{
    if (length >= sizeOf(array))
        return;
    array.data_ptr().size = qsizetype(length);
    array.data_ptr().data()[length] = '\0';
}

qdtls_address addressFrom(const QHostAddress &address, quint16 port);

// The callbacks of a Rust handle: sends datagrams, and asks the application for pre-shared keys. A
// slot may delete the QDtls or verifier, and the Rust handle with it, during a call: the object,
// the handle and each call hold a reference. One thread at a time uses all of them, so that the
// count need not be atomic.
class Transport {
public:
    Transport() = default;
    Q_DISABLE_COPY_MOVE(Transport)

    // For a new handle. Once it exists, `keep` counts its reference.
    qdtls_callbacks callbacks()
    {
        return { sizeof(qdtls_callbacks), this, send, psk, nullptr, release, nullptr, nullptr };
    }
    void keep() { ++references; }
    void letGo()
    {
        if (Q_UNLIKELY(--references == 0))
            destroy();
    }

    void setPeer(const QHostAddress &peer, quint16 peerPort)
    {
        address = peer;
        port = peerPort;
    }
    const QHostAddress &peerAddress() const { return address; }
    quint16 peerPort() const { return port; }

    QdtlsRsConnection *connection = nullptr; // null for a verifier, and after its end
    bool ownerGone = false;
    QPointer<QUdpSocket> socket; // of the innermost call
    QString socketError; // of the innermost call's worst failure, null for none

private:
    friend class Call;

    ~Transport() = default;
    void destroy();

    static int32_t send(void *user, const uint8_t *datagram, size_t length);
    int32_t sendTo(QUdpSocket &used, const char *data, qint64 size);
    int32_t sendObserved(QUdpSocket &used, const char *data, qint64 size);
    int32_t explainFailure(qint64 sent, int error);
    int32_t keepFailure(int32_t result, const QString &text);
    static void psk(void *user, const qdtls_psk_request *request, qdtls_psk_reply *reply);
    void askForPsk(const qdtls_psk_request &request, qdtls_psk_reply *reply);
    static void release(void *user);

    int references = 1;
    int calls = 0; // one inside the other
    int32_t socketResult = QDTLS_SEND_RESULT_SENT; // that `socketError` explains
    QHostAddress address;
    quint16 port = 0;
};

// One call into Rust, from its construction to its destruction. Sends datagrams on its socket, and
// knows afterwards whether a slot has deleted the object that made the call.
class Call {
public:
    Q_ALWAYS_INLINE Call(Transport &usedTransport, QUdpSocket *socket)
        : transport(usedTransport)
    {
        transport.keep();
        if (Q_UNLIKELY(!transport.socketError.isNull()))
            forgetSocketError();
        // Rare: a call from a slot inside of another call, or another socket than the last one.
        if (Q_UNLIKELY(transport.calls++ > 0 || transport.socket != socket))
            changeSocket(socket);
    }

    Q_ALWAYS_INLINE ~Call()
    {
        if (Q_UNLIKELY(--transport.calls > 0))
            restoreSocket();
        transport.letGo();
    }

    Q_DISABLE_COPY_MOVE(Call)

    // If so, no member of the owner may be used.
    bool ownerIsGone() const { return transport.ownerGone; }

private:
    void forgetSocketError();
    void changeSocket(QUdpSocket *socket);
    void restoreSocket();

    Transport &transport;
    QPointer<QUdpSocket> outerSocket; // of the call around this one
};

} // namespace QdtlsRs

QT_END_NAMESPACE

#endif // QDTLSRS_TRANSPORT_P_H
