// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "exchange.h"

#include <QtNetwork/QDtlsClientVerifier>

namespace interop {

// Has one connection at a time.
class Server : public Exchange {
    Q_OBJECT

public:
    using Exchange::Exchange;
    void start() override;

private:
    void take(const QByteArray &datagram, const QHostAddress &sender, quint16 port) override;
    void next() override { }
    void greet(const QByteArray &datagram, const QHostAddress &sender, quint16 port);

    QDtlsClientVerifier verifier;
};

} // namespace interop
