// SPDX-License-Identifier: MIT OR Apache-2.0

#ifndef QDTLSRS_CONNECTION_P_H
#define QDTLSRS_CONNECTION_P_H

#include "qdtlsrs_base_p.h"
#include "qdtlsrs_timer_p.h"

#include <QtNetwork/private/qdtls_p.h>

#include <memory>
#include <vector>

QT_BEGIN_NAMESPACE

namespace QdtlsRs {
class SharedContext;
} // namespace QdtlsRs

QT_WARNING_PUSH
// Overriding through one branch of a virtual base is intended.
QT_WARNING_DISABLE_MSVC(4250)

// The backend of QDtls.
class QdtlsRsConnection final : public QTlsPrivate::DtlsCryptograph, public QdtlsRsBase {
public:
    QdtlsRsConnection(QDtls *qObject, QSslSocket::SslMode mode);
    ~QdtlsRsConnection() override;

    void setConfiguration(const QSslConfiguration &configuration) override;
    QSslConfiguration configuration() const override;
    QSslSocket::SslMode cryptographMode() const override { return mode; }
    void setPeer(const QHostAddress &addr, quint16 port, const QString &name) override;
    QHostAddress peerAddress() const override { return transport->peerAddress(); }
    quint16 peerPort() const override { return transport->peerPort(); }
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

    QSslCipher dtlsSessionCipher() const override;
    QSsl::SslProtocol dtlsSessionProtocol() const override { return sessionProtocol; }

    qint64 writeDatagramEncrypted(QUdpSocket *socket, const QByteArray &dgram) override;
    QByteArray decryptDatagram(QUdpSocket *socket, const QByteArray &dgram) override;

    // Called back by Transport.
    void emitPskRequired(QSslPreSharedKeyAuthenticator *authenticator);
    // For qdtlsrs_interface.cpp.
    qdtls_connection *handle() const { return connection.get(); }
    QByteArray pskIdentityHint() const { return dtlsConfiguration().preSharedKeyIdentityHint(); }

private:
    // A call that may begin or end the wait for the peer. The timer follows when nothing else is
    // left to do: the QDtls may have moved to a thread that goes on with it at once.
    class Step {
    public:
        Step(QdtlsRsConnection &connection, QUdpSocket *socket);
        ~Step();
        Q_DISABLE_COPY_MOVE(Step)

        bool ownerIsGone() const { return call.ownerIsGone(); }

        // Does the rest of the step. If memory is missing in the middle of it, ends the handshake,
        // for the step cannot be repeated.
        template <typename Work> bool run(const Work &work) const
        {
            bool succeeded = false;
            if (!QdtlsRs::hasMemoryFor([&] { succeeded = work(); }) && !ownerIsGone())
                connection.endForWantOfMemory();
            return succeeded;
        }

    private:
        struct TimerUpdate {
            QdtlsRsConnection &connection;
            QdtlsRs::HandshakeTimer *timer; // null for none
            ~TimerUpdate();
        };

        QdtlsRsConnection &connection;
        TimerUpdate update; // after the end of `call`
        QdtlsRs::Call call;
    };

    // Setup, in qdtlsrs_connection_setup.cpp.
    bool configure(QUdpSocket *socket);
    uint16_t mtuFor(QUdpSocket &socket) const;
    bool mayResume() const;
    bool initTls();
    bool hasDtlsModeAndProtocol();
    std::shared_ptr<QdtlsRs::SharedContext> findContext();
    QString expectedPeerName() const;
    bool mustVerifyPeer() const;

    // Steps of a handshake, data and the end, in qdtlsrs_connection.cpp.
    bool begin(QUdpSocket *socket, const QByteArray &dgram, const Step &step);
    bool finishStep(qdtls_status status, int32_t need);
    void endForWantOfMemory();
    void reportFailedStep(qdtls_status status);
    qdtls_status read(const QByteArray &dgram, QByteArray &plaintext, int32_t *end);
    qdtls_status readBuffered(const QByteArray &dgram, QByteArray &plaintext, int32_t *end);
    void reportLast();
    void reportAndForgetSession();
    void forgetSession();
    void forgetPeer();

    // Results of a handshake, in qdtlsrs_connection_peer.cpp.
    bool judgePeer();
    bool peerErrorsAreIgnored() const;
    QList<QSslError> findPeerErrors() const;
    std::vector<qdtls_verify_error> findChainErrors() const;
    void storePeerCertificates();
    void clearPeerCertificates();
    void keepSession();
    void storeSessionTicket();
    void storeTicketOf(const qdtls_session *ended);
    void fetchNegotiatedParameters();

    QDtls *q;
    const QSslSocket::SslMode mode;
    QString peerVfyName;
    quint16 mtuHint = 0;
    const SSL_CIPHER *sessionCipher = nullptr;
    QSsl::SslProtocol sessionProtocol = QSsl::UnknownProtocol;
    QdtlsRs::Handle<qdtls_connection, qdtls_connection_free> connection;
    std::weak_ptr<QdtlsRs::SharedContext> usedContext; // by the last handshake; owned by Rust
    bool resumable = false; // the session of the last handshake
    // Of the last handshake, as long as nobody has asked for its ticket.
    QdtlsRs::Handle<qdtls_session, qdtls_session_free> session;
    std::unique_ptr<QdtlsRs::HandshakeTimer> timer; // from the first handshake on
    QList<QSslError> peerErrors;
    QList<QSslError> ignoredErrors;
};

QT_WARNING_POP

QT_END_NAMESPACE

#endif // QDTLSRS_CONNECTION_P_H
