// SPDX-License-Identifier: MIT OR Apache-2.0

#ifndef QDTLS_RS_QDTLS_OPENSSL_P_H
#define QDTLS_RS_QDTLS_OPENSSL_P_H

// The plugin is built with the include guard of Qt's header of this name defined, which leaves that
// header out: a file that needs it gets this one, or does not compile.
#ifndef QDTLS_OPENSSL_P_H
#error "QDTLS_OPENSSL_P_H must be defined in the whole plugin, see cmake/adapter.cmake"
#endif

// Qt's private OpenSSL headers count on this one having been included.
#include "qsslsocket_openssl_symbols_p.h"

#include "qsslcontext_openssl_p.h"
#include "qtlsbackend_openssl_p.h"

#include "../shared/qdtls_base_p.h"

#include <QtNetwork/private/qdtls_p.h>

#include "qdtlsrs_bridge_p.h"

#include <QtCore/qbasictimer.h>

#include <memory>

QT_REQUIRE_CONFIG(openssl);
QT_REQUIRE_CONFIG(dtls);

// qtlsbackend_openssl.cpp makes objects of these names. Ours are other classes: a build in which
// that file still saw Qt's header fails to link, instead of mixing two layouts under one name.
#define QDtlsClientVerifierOpenSSL QdtlsRsClientVerifier
#define QDtlsPrivateOpenSSL QdtlsRsConnection

QT_BEGIN_NAMESPACE

class QUdpSocket;

namespace QdtlsRs {

class SharedContext;

struct ListenerDeleter {
    void operator()(qdtls_listener *listener) const { qdtls_listener_free(listener); }
};

struct ConnectionDeleter {
    void operator()(qdtls_connection *connection) const { qdtls_connection_free(connection); }
};

} // namespace QdtlsRs

QT_WARNING_PUSH
// Overriding through one branch of a virtual base is what is meant.
QT_WARNING_DISABLE_MSVC(4250)

// What verifier and connection have in common.
class QdtlsRsBase : public QDtlsBasePrivate {
public:
    explicit QdtlsRsBase(QSslSocket::SslMode mode);

    bool setCookieGeneratorParameters(const GenParams &parameters) override;
    GenParams cookieGeneratorParameters() const override;

protected:
    // Reports a failure of Rust's in Qt's terms; `socketError` is what the socket said of it.
    void report(const qdtls_error &error, const QString &socketError = {});
    // Whether the library can work with the OpenSSL that Qt has loaded; if not, the error is set.
    bool libraryIsUsable();

    QdtlsRs::Cookie cookie;
};

class QdtlsRsClientVerifier : public QTlsPrivate::DtlsCookieVerifier, public QdtlsRsBase {
public:
    QdtlsRsClientVerifier();
    ~QdtlsRsClientVerifier() override;

    bool verifyClient(QUdpSocket *socket, const QByteArray &dgram, const QHostAddress &address,
                      quint16 port) override;
    QByteArray verifiedHello() const override;

private:
    std::shared_ptr<QdtlsRs::Transport> transport;
    std::unique_ptr<qdtls_listener, QdtlsRs::ListenerDeleter> listener;
    QByteArray hello;
};

class QdtlsRsConnection : public QTlsPrivate::DtlsCryptograph, public QdtlsRsBase {
public:
    QdtlsRsConnection(QDtls *qObject, QSslSocket::SslMode mode);
    ~QdtlsRsConnection() override;

    QSslSocket::SslMode cryptographMode() const override { return mode; }
    void setPeer(const QHostAddress &addr, quint16 port, const QString &name) override;
    QHostAddress peerAddress() const override { return remoteAddress; }
    quint16 peerPort() const override { return remotePort; }
    void setPeerVerificationName(const QString &name) override { peerVfyName = name; }
    QString peerVerificationName() const override { return peerVfyName; }
    void setDtlsMtuHint(quint16 mtu) override { mtuHint = mtu; }
    quint16 dtlsMtuHint() const override { return mtuHint; }

    QDtls::HandshakeState state() const override;
    bool isConnectionEncrypted() const override;

    bool startHandshake(QUdpSocket *socket, const QByteArray &dgram) override;
    bool continueHandshake(QUdpSocket *socket, const QByteArray &dgram) override;
    bool handleTimeout(QUdpSocket *socket) override;
    bool resumeHandshake(QUdpSocket *socket) override;
    void abortHandshake(QUdpSocket *socket) override;
    void sendShutdownAlert(QUdpSocket *socket) override;

    QList<QSslError> peerVerificationErrors() const override { return peerErrors; }
    void ignoreVerificationErrors(const QList<QSslError> &errors) override;

    QSslCipher dtlsSessionCipher() const override { return sessionCipher; }
    QSsl::SslProtocol dtlsSessionProtocol() const override { return sessionProtocol; }

    qint64 writeDatagramEncrypted(QUdpSocket *socket, const QByteArray &dgram) override;
    QByteArray decryptDatagram(QUdpSocket *socket, const QByteArray &dgram) override;

    // Called back by Transport.
    void emitPskRequired(QSslPreSharedKeyAuthenticator *authenticator);
    QByteArray pskIdentityHint() const { return dtlsConfiguration.preSharedKeyIdentityHint(); }

private:
    // Emits handshakeTimeout when Rust says it is time to.
    struct Timer : QObject {
        explicit Timer(QdtlsRsConnection *owner)
            : connection(owner)
        {
        }
        void timerEvent(QTimerEvent *event) override;

        QdtlsRsConnection *connection;
        QBasicTimer timer;
    };

    bool configure(QUdpSocket *socket);
    bool initTls();
    bool mayResume() const;
    bool finishStep(qdtls_status status, int32_t need);
    bool judgePeer();
    bool mustVerifyPeer() const;
    bool peerErrorsAreIgnored() const;
    QList<QSslError> findPeerErrors() const;
    QString expectedPeerName() const;
    void storePeerCertificates();
    void clearPeerCertificates();
    void storeSessionTicket();
    void fetchNegotiatedParameters();
    void forgetSession();
    void forgetPeer();
    void reportLast();
    void updateTimer();

    QDtls *q;
    std::shared_ptr<QdtlsRs::Transport> transport;
    std::unique_ptr<qdtls_connection, QdtlsRs::ConnectionDeleter> connection;
    std::weak_ptr<QdtlsRs::SharedContext> usedContext; // of the last handshake; Rust keeps it
    // Made when it is first needed, on the thread the QDtls lives on by then.
    std::unique_ptr<Timer> timer;
    QList<QSslError> peerErrors;
    QList<QSslError> ignoredErrors;
};

QT_WARNING_POP

QT_END_NAMESPACE

#endif // QDTLS_RS_QDTLS_OPENSSL_P_H
