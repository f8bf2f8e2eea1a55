// SPDX-License-Identifier: MIT OR Apache-2.0

#include "qdtlsrs_verifier_p.h"

QT_BEGIN_NAMESPACE

using namespace QdtlsRs;

// A new listener has default cookie parameters, as `cookie` has.
QdtlsRsClientVerifier::QdtlsRsClientVerifier()
{
    const qdtls_callbacks callbacks = transport->callbacks();
    qdtls_listener *handle = nullptr;
    if (qdtls_listener_new(&callbacks, &handle) == QDTLS_STATUS_OK)
        transport->keep();
    listener.reset(handle);
}

bool QdtlsRsClientVerifier::setCookieGeneratorParameters(const GenParams &parameters)
{
    if (!QdtlsRsBase::setCookieGeneratorParameters(parameters))
        return false;
    qdtls_listener_set_cookie(listener.get(), cookie.handle());
    return true;
}

bool QdtlsRsClientVerifier::verifyClient(QUdpSocket *socket, const QByteArray &dgram,
                                         const QHostAddress &address, quint16 port)
{
    const Call call = enter(socket);
    bool verified = false;
    const auto work = [&] { verified = verify(call, dgram, address, port); };
    if (!hasMemoryFor(work) && !call.ownerIsGone())
        reportOutOfMemory(QDtlsError::TlsNonFatalError);
    return verified;
}

bool QdtlsRsClientVerifier::verify(const Call &call, const QByteArray &dgram,
                                   const QHostAddress &address, quint16 port)
{
    hello.clear();
    if (!libraryIsUsable())
        return false;

    transport->setPeer(address, port);
    const qdtls_address peer = addressFrom(address, port);
    bool verified = false;
    const auto status =
        qdtls_listener_verify(listener.get(), &peer, bytesOf(dgram), sizeOf(dgram), &verified);
    if (call.ownerIsGone())
        return false;

    if (status != QDTLS_STATUS_OK) {
        qdtls_error error = noError();
        qdtls_listener_last_error(listener.get(), &error);
        report(error);
    }
    if (verified)
        hello = dgram;
    return verified;
}

QT_END_NAMESPACE
