// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "exchange.h"

namespace interop {

class Client : public Exchange {
    Q_OBJECT

public:
    using Exchange::Exchange;
    void start() override;

private:
    void take(const QByteArray &datagram, const QHostAddress &sender, quint16 port) override;
    void next() override;
    void connectAgain();
};

} // namespace interop
