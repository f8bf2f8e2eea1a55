// SPDX-License-Identifier: MIT OR Apache-2.0

#ifndef QDTLSRS_VERIFIER_P_H
#define QDTLSRS_VERIFIER_P_H

#include "qdtlsrs_base_p.h"

QT_BEGIN_NAMESPACE

QT_WARNING_PUSH
// Overriding through one branch of a virtual base is intended.
QT_WARNING_DISABLE_MSVC(4250)

// The backend of QDtlsClientVerifier.
class QdtlsRsClientVerifier final : public QTlsPrivate::DtlsCookieVerifier, public QdtlsRsBase {
public:
    QdtlsRsClientVerifier();

    bool setCookieGeneratorParameters(const GenParams &parameters) override;
    bool verifyClient(QUdpSocket *socket, const QByteArray &dgram, const QHostAddress &address,
                      quint16 port) override;
    QByteArray verifiedHello() const override { return hello; }

private:
    bool verify(const QdtlsRs::Call &call, const QByteArray &dgram, const QHostAddress &address,
                quint16 port);

    QdtlsRs::Handle<qdtls_listener, qdtls_listener_free> listener;
    QByteArray hello;
};

QT_WARNING_POP

QT_END_NAMESPACE

#endif // QDTLSRS_VERIFIER_P_H
