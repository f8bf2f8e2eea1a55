// SPDX-License-Identifier: MIT OR Apache-2.0

#ifndef QDTLSRS_BRIDGE_P_H
#define QDTLSRS_BRIDGE_P_H

// The pieces between Qt's types and the C ABI that verifier and connection share.

#include <QtNetwork/private/qtlsbackend_p.h>

#include <qdtls_rs.h>

#include <QtNetwork/qhostaddress.h>
#include <QtNetwork/qudpsocket.h>

#include <QtCore/qbytearray.h>
#include <QtCore/qpointer.h>
#include <QtCore/qscopeguard.h>
#include <QtCore/qstring.h>

#include <memory>
#include <utility>

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

qdtls_address addressFrom(const QHostAddress &address, quint16 port);

// Whether the Rust library works with the OpenSSL that Qt has loaded; found once.
class Library {
public:
    static const Library &instance();
    bool isUsable() const { return usable; }
    qdtls_error error() const;

private:
    Library();

    bool usable = false;
    QByteArray operation;
    QByteArray reason;
};

// Cookie parameters in Rust's keeping: no copy of a secret stays in a QByteArray here.
class Cookie {
public:
    Cookie();
    ~Cookie();
    Q_DISABLE_COPY_MOVE(Cookie)

    // False with `error` filled when the parameters are refused; nothing has changed then.
    bool set(const QTlsPrivate::DtlsBase::GenParams &parameters, qdtls_error *error);
    QTlsPrivate::DtlsBase::GenParams get() const;
    const qdtls_cookie *handle() const { return cookie; }

private:
    qdtls_cookie *cookie = nullptr;
};

// What a Rust handle calls back. A slot that runs during a call may delete the object that made the
// call; whoever calls therefore holds a reference of its own, and touches nothing else afterwards
// when `ownerGone` says so.
struct Transport {
    QdtlsRsConnection *connection = nullptr; // null for a verifier, and when it is gone
    bool ownerGone = false;
    QPointer<QUdpSocket> socket; // that of the call under way
    int calls = 0; // under way, one inside the other
    QHostAddress address;
    quint16 port = 0;
    QString socketError;
    QByteArray pskText; // an authenticator, and copies a slot makes of it, refer to these bytes

    static qdtls_callbacks callbacksFor(const std::shared_ptr<Transport> &transport);

    // Uses `udpSocket` until the result goes out of scope. It mostly is the one of the last call.
    [[nodiscard]] auto use(QUdpSocket *udpSocket)
    {
        socketError.clear();
        QPointer<QUdpSocket> outer;
        if (calls++ > 0)
            outer = socket;
        if (socket != udpSocket)
            socket = udpSocket;
        return qScopeGuard([this, outer = std::move(outer)] {
            if (--calls > 0)
                socket = outer;
        });
    }

private:
    static int32_t send(void *user, const uint8_t *datagram, size_t length);
    static void psk(void *user, const qdtls_psk_request *request, qdtls_psk_reply *reply);
    static void release(void *user);
};

} // namespace QdtlsRs

QT_END_NAMESPACE

#endif // QDTLSRS_BRIDGE_P_H
