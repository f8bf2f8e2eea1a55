// SPDX-License-Identifier: MIT OR Apache-2.0

#include "qdtlsrs_peer_name_p.h"

#include <QtNetwork/private/qtlsbackend_p.h>
#include <QtNetwork/qhostaddress.h>
#include <QtNetwork/qsslcertificate.h>

#include <QtCore/qstring.h>
#include <QtCore/qurl.h>

#include <algorithm>

QT_BEGIN_NAMESPACE

namespace QdtlsRs {
namespace {

bool hasAddress(const QSslCertificate &certificate, const QHostAddress &address)
{
    const auto names = certificate.subjectAlternativeNames().values(QSsl::IpAddressEntry);
    return std::any_of(names.cbegin(), names.cend(), [&address](const QString &name) {
        return QHostAddress(name).isEqual(address, QHostAddress::StrictConversion);
    });
}

// Qt compares names in ASCII form. An IPv6 address has none, nor has a name such as "Bogus Server",
// and would equal every common name that has none either: these are compared as they are.
bool hasName(const QSslCertificate &certificate, const QString &name)
{
    if (!QUrl::toAce(name).isEmpty())
        return QTlsPrivate::TlsCryptograph::isMatchingHostname(certificate, name);
    const QHostAddress address(name);
    return address.isNull() ? certificate.subjectInfo(QSslCertificate::CommonName).contains(name)
                            : hasAddress(certificate, address);
}

// The form in which a certificate knows a name: an IPv4-mapped address as IPv4 (S28), a host name
// without the dot of the root.
QString canonicalName(const QString &name)
{
    QHostAddress address;
    bool isIpv4 = false;
    if (address.setAddress(name)) {
        const QHostAddress ipv4(address.toIPv4Address(&isIpv4));
        return isIpv4 ? ipv4.toString() : name;
    }
    return name.endsWith(u'.') ? name.chopped(1) : name;
}

} // namespace

bool isNamed(const QSslCertificate &certificate, const QString &expected)
{
    return hasName(certificate, expected) || hasName(certificate, canonicalName(expected));
}

} // namespace QdtlsRs

QT_END_NAMESPACE
