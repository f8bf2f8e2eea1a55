// SPDX-License-Identifier: MIT OR Apache-2.0

#ifndef QDTLSRS_PEER_NAME_P_H
#define QDTLSRS_PEER_NAME_P_H

#include <QtCore/qglobal.h>

QT_BEGIN_NAMESPACE

class QSslCertificate;
class QString;

namespace QdtlsRs {

// Whether a certificate is for a host name, or for an address, that a client expects of its peer.
bool isNamed(const QSslCertificate &certificate, const QString &expected);

} // namespace QdtlsRs

QT_END_NAMESPACE

#endif // QDTLSRS_PEER_NAME_P_H
