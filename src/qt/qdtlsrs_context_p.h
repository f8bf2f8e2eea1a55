// SPDX-License-Identifier: MIT OR Apache-2.0

#ifndef QDTLSRS_CONTEXT_P_H
#define QDTLSRS_CONTEXT_P_H

#include "qsslsocket_openssl_symbols_p.h"

#include "qdtlsrs_recent_p.h"
#include "qsslcontext_openssl_p.h"

#include <QtNetwork/qsslcertificate.h>
#include <QtNetwork/qsslcipher.h>
#include <QtNetwork/qsslconfiguration.h>

#include <QtCore/qbytearray.h>
#include <QtCore/qstring.h>

#include <qdtls_rs.h>

#include <memory>

QT_BEGIN_NAMESPACE

namespace QdtlsRs {

// A QSslContext that connections of equal configuration share.
class SharedContext {
public:
    explicit SharedContext(std::shared_ptr<QSslContext> qtContext);
    SSL_CTX *handle() const;

    // Qt's and the library's objects for what the context's connections meet again and again. They
    // take longer to make than this adapter takes for the rest of a handshake.
    QSslCertificate certificateFrom(X509 *x509);
    // On Qt's list of certificates not to be trusted.
    bool isBlacklisted(const QSslCertificate &certificate);
    // The name that a client expects of its peer.
    bool isNamed(const QSslCertificate &certificate, const QString &expected);
    QSslCipher cipherFrom(const SSL_CIPHER *cipher);
    // Has a client's connection offer the session of a ticket, which may be none.
    void offerSession(qdtls_connection *connection, const QByteArray &ticket);

    // A context with this configuration: one that is in use or kept, or a new one. Connections
    // share certificates, keys and settings, but not peers, application protocols and sessions.
    // Returns null and fills `error` when the configuration is of no use. Any thread.
    static std::shared_ptr<SharedContext> find(QSslSocket::SslMode mode,
                                               const QSslConfiguration &configuration,
                                               bool issuesTickets, QString *error);

private:
    struct KnownCertificate {
        QSslCertificate certificate;
        bool isBlacklisted;
    };
    struct KnownName {
        QSslCertificate certificate;
        QString name;
    };
    struct KnownCipher {
        const SSL_CIPHER *native;
        QSslCipher cipher;
    };
    struct KnownSession {
        QByteArray ticket;
        std::shared_ptr<qdtls_session> session;
    };

    std::shared_ptr<QSslContext> context;
    Recent<KnownCertificate> certificates;
    Recent<KnownName> names; // without memory, OpenSSL finds no name: only right ones
    Recent<KnownCipher> ciphers;
    Recent<KnownSession> sessions; // gone with the context, as their keys must
};

} // namespace QdtlsRs

QT_END_NAMESPACE

#endif // QDTLSRS_CONTEXT_P_H
