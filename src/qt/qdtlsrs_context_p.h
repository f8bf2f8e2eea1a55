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

// A QSslContext that connections of equal configuration share.
class SharedContext {
public:
    explicit SharedContext(std::shared_ptr<QSslContext> qtContext);
    SSL_CTX *handle() const;
    // A certificate of a peer. Few are remembered: the same ones come with each connection, and Qt
    // takes longer to make such an object than this adapter takes for the rest of a handshake.
    QSslCertificate certificateFrom(X509 *x509);

    // A context with this configuration: one that is in use or kept, or a new one. Connections
    // share certificates, keys and settings, but not peers, application protocols and sessions.
    // Returns null and fills `error` when the configuration is of no use. Any thread.
    static std::shared_ptr<SharedContext> find(QSslSocket::SslMode mode,
                                               const QSslConfiguration &configuration,
                                               bool issuesTickets, QString *error);

private:
    std::shared_ptr<QSslContext> context;
    QMutex mutex;
    QList<QSslCertificate> certificates; // the most recently used first
};

} // namespace QdtlsRs

QT_END_NAMESPACE

#endif // QDTLSRS_CONTEXT_P_H
