// SPDX-License-Identifier: MIT OR Apache-2.0

// Errors and cookie parameters, which verifier and connection have in common, and the verifier.

#include "qdtls_openssl_p.h"

#include <QtNetwork/qudpsocket.h>

QT_BEGIN_NAMESPACE

using namespace QdtlsRs;

static_assert(QDTLS_CATEGORY_NONE == int(QDtlsError::NoError)
              && QDTLS_CATEGORY_INVALID_INPUT == int(QDtlsError::InvalidInputParameters)
              && QDTLS_CATEGORY_INVALID_OPERATION == int(QDtlsError::InvalidOperation)
              && QDTLS_CATEGORY_SOCKET == int(QDtlsError::UnderlyingSocketError)
              && QDTLS_CATEGORY_REMOTE_CLOSED == int(QDtlsError::RemoteClosedConnectionError)
              && QDTLS_CATEGORY_TLS_INITIALIZATION == int(QDtlsError::TlsInitializationError)
              && QDTLS_CATEGORY_TLS_FATAL == int(QDtlsError::TlsFatalError)
              && QDTLS_CATEGORY_TLS_NON_FATAL == int(QDtlsError::TlsNonFatalError));

QdtlsRsBase::QdtlsRsBase(QSslSocket::SslMode mode)
    : QDtlsBasePrivate(mode, {})
{
}

bool QdtlsRsBase::setCookieGeneratorParameters(const GenParams &parameters)
{
    if (!libraryIsUsable())
        return false;
    qdtls_error error = {};
    if (!cookie.set(parameters, &error)) {
        report(error);
        return false;
    }
    clearDtlsError();
    return true;
}

QTlsPrivate::DtlsBase::GenParams QdtlsRsBase::cookieGeneratorParameters() const
{
    return Library::instance().isUsable() ? cookie.get() : GenParams {};
}

void QdtlsRsBase::report(const qdtls_error &error, const QString &socketError)
{
    QString text = QDtls::tr("%1 failed: %2")
                       .arg(QString::fromUtf8(error.operation), QString::fromUtf8(error.reason));
    if (error.category == QDTLS_CATEGORY_SOCKET && !socketError.isEmpty())
        text += QLatin1String(": ") + socketError;
    setDtlsError(QDtlsError(error.category), text);
}

bool QdtlsRsBase::libraryIsUsable()
{
    const Library &library = Library::instance();
    if (!library.isUsable())
        report(library.error());
    return library.isUsable();
}

QdtlsRsClientVerifier::QdtlsRsClientVerifier()
    : QdtlsRsBase(QSslSocket::SslServerMode)
    , transport(std::make_shared<Transport>())
{
    const qdtls_callbacks callbacks = Transport::callbacksFor(transport);
    qdtls_listener *handle = nullptr;
    qdtls_listener_new(&callbacks, &handle);
    listener.reset(handle);
}

QdtlsRsClientVerifier::~QdtlsRsClientVerifier()
{
    transport->ownerGone = true;
}

bool QdtlsRsClientVerifier::verifyClient(QUdpSocket *socket, const QByteArray &dgram,
                                         const QHostAddress &address, quint16 port)
{
    clearDtlsError();
    hello.clear();
    if (!libraryIsUsable())
        return false;

    const auto kept = transport;
    const auto inUse = kept->use(socket);
    kept->address = address;
    kept->port = port;
    const qdtls_address peer = addressFrom(address, port);
    qdtls_listener_set_cookie(listener.get(), cookie.handle());
    bool verified = false;
    const auto status =
        qdtls_listener_verify(listener.get(), &peer, bytesOf(dgram), sizeOf(dgram), &verified);
    if (kept->ownerGone)
        return false;

    if (status != QDTLS_STATUS_OK) {
        qdtls_error error = {};
        qdtls_listener_last_error(listener.get(), &error);
        report(error, kept->socketError);
    }
    if (verified)
        hello = dgram;
    return verified;
}

QByteArray QdtlsRsClientVerifier::verifiedHello() const
{
    return hello;
}

QT_END_NAMESPACE
