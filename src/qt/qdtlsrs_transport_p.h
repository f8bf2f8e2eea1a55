// SPDX-License-Identifier: MIT OR Apache-2.0

#ifndef QDTLSRS_TRANSPORT_P_H
#define QDTLSRS_TRANSPORT_P_H

// The way into Rust and back: Call is one call into it, Transport is what it calls back.

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

// Sends datagrams for a Rust handle, and asks the application for pre-shared keys. A slot may
// delete the QDtls or verifier, and the Rust handle with it, during a call. So the object, the
// handle and each call hold a reference; one thread at a time uses all of them, and the count is a
// plain number.
class Transport {
public:
    Transport() = default;
    Q_DISABLE_COPY_MOVE(Transport)

    // For a new handle, which takes a reference by `keep` when it was created.
    qdtls_callbacks callbacks() { return { this, send, psk, nullptr, release }; }
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

    QdtlsRsConnection *connection = nullptr; // null for a verifier, and after its end
    bool ownerGone = false;
    QPointer<QUdpSocket> socket; // of the innermost call
    QString socketError; // of that call, empty without an error

private:
    friend class Call;

    ~Transport() = default;
    void destroy();

    static int32_t send(void *user, const uint8_t *datagram, size_t length);
    int32_t explainFailure(qint64 sent);
    static void psk(void *user, const qdtls_psk_request *request, qdtls_psk_reply *reply);
    static void release(void *user);

    int references = 1;
    int calls = 0; // one inside the other
    QHostAddress address;
    quint16 port = 0;
    QByteArray
        pskText; // an authenticator, and copies that a slot makes of it, refer to these bytes
};

// One call into Rust, from its construction to its destruction: datagrams go out on its socket, and
// afterwards it knows whether a slot has deleted the object that made the call.
class Call {
public:
    Q_ALWAYS_INLINE Call(Transport &usedTransport, QUdpSocket *socket)
        : transport(usedTransport)
    {
        transport.keep();
        if (Q_UNLIKELY(!transport.socketError.isNull()))
            forgetSocketError();
        // Mostly there is no call around this one, and the socket is that of the last call.
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

    // Nothing of the owner may be touched then.
    bool ownerIsGone() const { return transport.ownerGone; }

private:
    void forgetSocketError();
    void changeSocket(QUdpSocket *socket);
    void restoreSocket();

    Transport &transport;
    QPointer<QUdpSocket> outerSocket; // of the call that this one is inside of
};

} // namespace QdtlsRs

QT_END_NAMESPACE

#endif // QDTLSRS_TRANSPORT_P_H
