// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include <QObject>
#include <QString>

/// An observable event at one end of an exchange.
enum class Event {
    Listening,
    HelloVerifyRequestSent,
    HelloVerifyRequestReceived,
    CookieVerified,
    PreSharedKeyRequired,
    FlightRetransmitted,
    HandshakeComplete,
    PeerCertificateVerified,
    TextSent,
    TextEchoed,
    EchoReceived,
    CloseNotifySent,
    CloseNotifyReceived,
    Exited,
};

QString describe(Event event);

/// A party of the exchange. It reports what it sees and does, and decides nothing.
class Actor : public QObject {
    Q_OBJECT

public:
    explicit Actor(const QString &name) { setObjectName(name); }

signals:
    /// `peer` names the other side, for an actor that talks to several.
    void happened(Event event, const QString &detail, const QString &peer = {});
    void failed(const QString &why);
};
