// SPDX-License-Identifier: MIT OR Apache-2.0
//
// QDtlsError by name, also in QtTest's failure messages.
#pragma once

#include <QtNetwork/QDtls>
#include <QtTest/QTest>

namespace hardening {

inline const char *nameOf(QDtlsError error)
{
    switch (error) {
    case QDtlsError::NoError:
        return "NoError";
    case QDtlsError::InvalidInputParameters:
        return "InvalidInputParameters";
    case QDtlsError::InvalidOperation:
        return "InvalidOperation";
    case QDtlsError::UnderlyingSocketError:
        return "UnderlyingSocketError";
    case QDtlsError::RemoteClosedConnectionError:
        return "RemoteClosedConnectionError";
    case QDtlsError::PeerVerificationError:
        return "PeerVerificationError";
    case QDtlsError::TlsInitializationError:
        return "TlsInitializationError";
    case QDtlsError::TlsFatalError:
        return "TlsFatalError";
    case QDtlsError::TlsNonFatalError:
        return "TlsNonFatalError";
    }
    return "an unknown error";
}

} // namespace hardening

template <> inline char *QTest::toString(const QDtlsError &error)
{
    return qstrdup(hardening::nameOf(error));
}
