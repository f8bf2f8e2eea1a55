// SPDX-License-Identifier: MIT OR Apache-2.0

#ifndef QDTLSRS_CONTEXT_P_H
#define QDTLSRS_CONTEXT_P_H

#include "qsslsocket_openssl_symbols_p.h"

#include "qsslcontext_openssl_p.h"

#include <QtNetwork/qsslcertificate.h>
#include <QtNetwork/qsslconfiguration.h>

#include <QtCore/qlist.h>
#include <QtCore/qmutex.h>
#include <QtCore/qstring.h>

#include <memory>

QT_BEGIN_NAMESPACE

namespace QdtlsRs {

// A context of Qt's that connections of equal configuration share.
class SharedContext {
public:
    explicit SharedContext(std::shared_ptr<QSslContext> qtContext);
    SSL_CTX *handle() const;
    // One of a peer's certificates. The same ones come with each connection, and Qt takes longer to
    // make such an object than all the rest of ours in a handshake: a few are remembered.
    QSslCertificate certificateFrom(X509 *x509);

    // A context with this configuration: one in use, or a new one. Null with `error` filled when
    // there can be none. Shared are the certificates, keys and settings of the configuration; not
    // shared are peers, application protocols and sessions. Any thread.
    static std::shared_ptr<SharedContext> find(QSslSocket::SslMode mode,
                                               const QSslConfiguration &configuration,
                                               bool outlivesConnections, QString *error);
    // To be called when a connection has let go of its context: what nobody uses is forgotten, keys
    // included.
    static void forgetUnused();

private:
    std::shared_ptr<QSslContext> context;
    QMutex mutex;
    QList<QSslCertificate> certificates; // the most recently used first
};

// What Qt has no setters for: the outcome of ALPN, and how long a ticket is good for.
void setNegotiatedProtocol(QSslConfiguration &configuration, const QByteArray &protocol);
void setTicketLifetimeHint(QSslConfiguration &configuration, int seconds);

// Protocol names in the wire form of RFC 7301; names that have none are left out with a warning, as
// Qt does.
QByteArray alpnList(const QList<QByteArray> &protocols);

} // namespace QdtlsRs

QT_END_NAMESPACE

#endif // QDTLSRS_CONTEXT_P_H
