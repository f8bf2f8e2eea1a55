// SPDX-License-Identifier: MIT OR Apache-2.0
//
// DTLS as bytes (RFC 6347), to read datagrams and to forge them.
#pragma once

#include <QtCore/QByteArrayList>

#include <optional>

namespace pair::wire {

enum ContentType : quint8 {
    ChangeCipherSpec = 20,
    Alert = 21,
    Handshake = 22,
    ApplicationData = 23
};
enum HandshakeType : quint8 {
    ClientHelloType = 1,
    HelloVerifyRequest = 3,
    NewSessionTicket = 4,
    Certificate = 11
};
enum ExtensionType : quint16 { ServerName = 0 };

constexpr quint16 dtls10 = 0xfeff;
constexpr quint16 dtls12 = 0xfefd;
constexpr qsizetype recordHeaderSize = 13;
constexpr qsizetype handshakeHeaderSize = 12;

struct Record {
    quint8 type = Handshake;
    quint16 version = dtls12;
    quint16 epoch = 0;
    quint64 sequence = 0;
    QByteArray payload;

    QByteArray bytes() const;
};

// The whole records at the front of a datagram.
QList<Record> records(const QByteArray &datagram);

// The type of each plaintext handshake message or fragment in these datagrams, in order.
QList<quint8> handshakeTypes(const QByteArrayList &datagrams);

// An alert without authentication: epoch 0.
QByteArray plaintextAlert(quint8 level, quint8 description);

// A handshake message with its DTLS header.
QByteArray handshakeMessage(quint8 type, quint16 messageSequence, const QByteArray &body);

struct ClientHello {
    quint16 version = dtls12;
    QByteArray random;
    QByteArray sessionId;
    QByteArray cookie;
    QByteArray cipherSuites;
    QByteArray compressionMethods;
    QByteArray extensions; // the block without its length
    quint16 messageSequence = 0;

    static std::optional<ClientHello> parse(const QByteArray &datagram);

    // The hello a client sends in answer to a HelloVerifyRequest.
    ClientHello withCookie(const QByteArray &newCookie) const;
    // Null when the extension is absent.
    QByteArray extension(quint16 type) const;

    QByteArray message() const;
    QByteArray datagram() const;
};

// The cookie in a HelloVerifyRequest; null when the datagram is something else.
QByteArray cookieIn(const QByteArray &datagram);

// A ClientHello as a QDtls client sends it first.
ClientHello genuineHello();

} // namespace pair::wire
