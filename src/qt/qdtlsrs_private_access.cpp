// SPDX-License-Identifier: MIT OR Apache-2.0

#include "qdtlsrs_private_access_p.h"

#include <QtNetwork/private/qsslconfiguration_p.h>

QT_BEGIN_NAMESPACE

namespace QdtlsRs {
namespace {

// An explicit instantiation may name private members (C++17, [temp.explicit]): Qt's headers stay as
// they are.
struct ContextMember {
    using Pointer = SSL_CTX *QSslContext::*;
    friend Pointer pointerTo(ContextMember);
};

struct ConfigurationMember {
    using Pointer = QSharedDataPointer<QSslConfigurationPrivate> QSslConfiguration::*;
    friend Pointer pointerTo(ConfigurationMember);
};

struct SignalQuestion {
    using Pointer = bool (QObject::*)(const QMetaMethod &) const;
    friend Pointer pointerTo(SignalQuestion);
};

template <typename Member, typename Member::Pointer pointer> struct Reveal {
    friend typename Member::Pointer pointerTo(Member) { return pointer; }
};

template struct Reveal<ContextMember, &QSslContext::ctx>;
template struct Reveal<ConfigurationMember, &QSslConfiguration::d>;
template struct Reveal<SignalQuestion, &QObject::isSignalConnected>;

const QSslConfigurationPrivate *dataOf(const QSslConfiguration &configuration)
{
    return (configuration.*pointerTo(ConfigurationMember())).constData();
}

QSslConfigurationPrivate &writable(QSslConfiguration &configuration)
{
    return *(configuration.*pointerTo(ConfigurationMember())).data();
}

} // namespace

SSL_CTX *nativeContext(const QSslContext &context)
{
    return context.*pointerTo(ContextMember());
}

bool shareData(const QSslConfiguration &one, const QSslConfiguration &other)
{
    return dataOf(one) == dataOf(other);
}

void setNegotiatedProtocol(QSslConfiguration &configuration, const QByteArray &protocol)
{
    QSslConfigurationPrivate &d = writable(configuration);
    d.nextNegotiatedProtocol = protocol;
    d.nextProtocolNegotiationStatus = protocol.isEmpty()
        ? QSslConfiguration::NextProtocolNegotiationNone
        : QSslConfiguration::NextProtocolNegotiationNegotiated;
}

void setTicketLifetimeHint(QSslConfiguration &configuration, int seconds)
{
    writable(configuration).sslSessionTicketLifeTimeHint = seconds;
}

bool isSignalConnected(const QObject &sender, const QMetaMethod &signal)
{
    return (sender.*pointerTo(SignalQuestion()))(signal);
}

} // namespace QdtlsRs

QT_END_NAMESPACE
