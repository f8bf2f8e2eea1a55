// SPDX-License-Identifier: MIT OR Apache-2.0

#ifndef QDTLSRS_PRIVATE_ACCESS_P_H
#define QDTLSRS_PRIVATE_ACCESS_P_H

// Access to private members of Qt's classes for which Qt offers no function.

#include "qsslsocket_openssl_symbols_p.h"

#include "qsslcontext_openssl_p.h"

#include <QtNetwork/qsslconfiguration.h>

#include <QtCore/qbytearray.h>
#include <QtCore/qmetaobject.h>

QT_BEGIN_NAMESPACE

namespace QdtlsRs {

SSL_CTX *nativeContext(const QSslContext &context);

// Returns whether one is an unchanged copy of the other. Equal configurations need not be.
bool shareData(const QSslConfiguration &one, const QSslConfiguration &other);

// Sets the outcome of ALPN; empty for none.
void setNegotiatedProtocol(QSslConfiguration &configuration, const QByteArray &protocol);

// Sets the lifetime of the session ticket; -1 for unknown.
void setTicketLifetimeHint(QSslConfiguration &configuration, int seconds);

// QObject's protected function of this name, for any object.
bool isSignalConnected(const QObject &sender, const QMetaMethod &signal);

} // namespace QdtlsRs

QT_END_NAMESPACE

#endif // QDTLSRS_PRIVATE_ACCESS_P_H
